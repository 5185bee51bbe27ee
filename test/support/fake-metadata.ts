/** Instance metadata, version 2, on loopback: items set by the test, tokens that can be made old, and outages. Every request is counted. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeMetadata extends AsyncDisposable {
  /** As AWS_EC2_METADATA_SERVICE_ENDPOINT has it. */
  readonly url: string;
  /** Below `/latest/meta-data/`. */
  readonly items: Map<string, string>;
  /** `METHOD path`, in order. */
  readonly requests: string[];
  /** A status with which everything is answered. */
  outage: number | undefined;
  /** Session tokens given until now are refused. */
  forgetTokens(): void;
}

export const fakeInstance = {
  'instance-id': 'i-0123456789abcdef0',
  'local-ipv4': '10.1.2.3',
  'instance-type': 'm7g.large',
  'placement/availability-zone': 'eu-central-1b',
  'placement/region': 'eu-central-1',
  'ami-id': 'ami-0123456789abcdef0',
} as const;

export const fakeRole = { name: 'gantry-host', accessKeyId: 'ASIATESTKEY', secretAccessKey: 'secret of the role' };

/** What metadata answers for the role's credentials. */
export const roleCredentials = (expiresAt: number, token = 'session token'): string =>
  JSON.stringify({
    Code: 'Success',
    Type: 'AWS-HMAC',
    AccessKeyId: fakeRole.accessKeyId,
    SecretAccessKey: fakeRole.secretAccessKey,
    Token: token,
    Expiration: new Date(expiresAt).toISOString(),
  });

export async function startFakeMetadata(): Promise<FakeMetadata> {
  const tokens = new Set<string>();
  const server = createServer((request, response) => answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const metadata: FakeMetadata = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    items: new Map<string, string>([
      ...Object.entries(fakeInstance),
      ['iam/security-credentials/', fakeRole.name],
      [`iam/security-credentials/${fakeRole.name}`, roleCredentials(Date.now() + 6 * 3_600_000)],
    ]),
    requests: [],
    outage: undefined,
    forgetTokens: () => tokens.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    metadata.requests.push(`${request.method} ${request.url}`);
    const [status, body] = metadata.outage === undefined ? said(request) : [metadata.outage, ''];
    response.writeHead(status).end(body);
  };
  const said = ({ method, url = '', headers }: IncomingMessage): [number, string] => {
    if (url === '/latest/api/token') {
      if (method !== 'PUT' || headers['x-aws-ec2-metadata-token-ttl-seconds'] === undefined) return [400, ''];
      const token = randomBytes(8).toString('hex');
      tokens.add(token);
      return [200, token];
    }
    if (!tokens.has(String(headers['x-aws-ec2-metadata-token']))) return [401, ''];
    const item = metadata.items.get(url.replace('/latest/meta-data/', ''));
    return item === undefined ? [404, '<html>not found</html>'] : [200, item];
  };
  return metadata;
}
