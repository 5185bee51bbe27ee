/** Amazon ECR's API on loopback: answers GetAuthorizationToken, or what a test says. Requests are kept; signatures are not verified. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface FakeEcr extends AsyncDisposable {
  /** As AWS_ENDPOINT_URL_ECR has it. */
  readonly url: string;
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly body: string }[];
  /** Of the tokens that it gives. */
  password: string;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** Answered in place of a token. */
  refusal: { readonly status: number; readonly body: object } | undefined;
}

export const ecrDenial = {
  status: 400,
  body: {
    __type: 'com.amazonaws.ecr#AccessDeniedException',
    message: 'User: arn:aws:sts::123456789012:assumed-role/gantry-host/i-0123456789abcdef0 is not authorized',
  },
};

export async function startFakeEcr(): Promise<FakeEcr> {
  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    ecr.requests.push({ headers: request.headers, body: await text(request) });
    const token = {
      authorizationToken: Buffer.from(`AWS:${ecr.password}`).toString('base64'),
      expiresAt: ecr.expiresAt / 1000,
    };
    const { status, body } = ecr.refusal ?? { status: 200, body: { authorizationData: [token] } };
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ecr: FakeEcr = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    password: 'secret',
    expiresAt: Date.now() + 12 * 3_600_000,
    refusal: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return ecr;
}
