/**
 * What a host's updater reaches of AWS, on loopback: instance metadata, SSM and S3 under their real names. Curl is led there by its own
 * configuration, so the script runs as it is. SSM and S3 check each signature as AWS does, and serve what the test puts there.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { type FakeMetadata, fakeRole, startFakeMetadata } from '../../support/fake-metadata.ts';

export const region = 'eu-central-1';
export const bucket = 'assets-of-eu';
export const parameter = 'CFN-Release-abc123';

export interface AwsForHosts extends AsyncDisposable {
  readonly metadata: FakeMetadata;
  /** What the parameter says. */
  release: string;
  /** What the bucket holds, by key. */
  readonly objects: Map<string, Buffer>;
  /** `host METHOD path`, in order. */
  readonly requests: string[];
  /** A directory whose `.curlrc` leads curl here (CURL_HOME). */
  readonly curlHome: string;
}

export async function startAwsForHosts(): Promise<AwsForHosts> {
  const curlHome = mkdtempSync(join(tmpdir(), 'gantry-curl-'));
  const metadata = await startFakeMetadata();
  const names = [`ssm.${region}.amazonaws.com`, `${bucket}.s3.${region}.amazonaws.com`];
  const certificate = certificateFor(names);
  const server = createServer(certificate, (request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(curlHome, 'certificate.pem'), certificate.cert);
  writeFileSync(
    join(curlHome, '.curlrc'),
    [
      `connect-to = "169.254.169.254:80:${metadata.url.replace('http://', '')}"`,
      `connect-to = ":443:127.0.0.1:${port}"`,
      `cacert = "${join(curlHome, 'certificate.pem')}"`,
    ].join('\n'),
  );
  const aws: AwsForHosts = {
    metadata,
    release: '',
    objects: new Map(),
    requests: [],
    curlHome,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await metadata[Symbol.asyncDispose]();
      rmSync(curlHome, { recursive: true, force: true });
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { host = '' } = request.headers;
    aws.requests.push(`${host} ${request.method} ${request.url}`);
    const [service = ''] = host.split('.').filter((part) => part === 'ssm' || part === 's3');
    const [status, answered] = (await isSigned(request, service, body))
      ? served(aws, service, request, body)
      : [403, '{"__type":"SignatureDoesNotMatch"}'];
    response.writeHead(status).end(answered);
  }
  return aws;
}

function served(aws: AwsForHosts, service: string, request: IncomingMessage, body: Buffer): [number, string | Buffer] {
  if (service === 's3') {
    const object = request.method === 'GET' ? aws.objects.get((request.url ?? '').slice(1)) : undefined;
    return object === undefined ? [404, '<Error><Code>NoSuchKey</Code></Error>'] : [200, object];
  }
  const isCall =
    request.headers['x-amz-target'] === 'AmazonSSM.GetParameter' &&
    request.headers['content-type'] === 'application/x-amz-json-1.1';
  if (!isCall || JSON.parse(body.toString()).Name !== parameter) return [400, '{"__type":"ParameterNotFound"}'];
  const answered = { ARN: 'arn', DataType: 'text', Name: parameter, Type: 'String', Value: aws.release, Version: 1 };
  return [200, JSON.stringify({ Parameter: answered })];
}

/** Whether the role's credentials signed the request for this service, with all that AWS wants signed. */
async function isSigned(
  { method = '', url = '', headers }: IncomingMessage,
  service: string,
  body: Buffer,
): Promise<boolean> {
  const pattern = new RegExp(
    `^AWS4-HMAC-SHA256 Credential=${fakeRole.accessKeyId}/\\d{8}/${region}/${service}/aws4_request, ?` +
      'SignedHeaders=([^,]+), ?Signature=(\\w+)$',
  );
  const [, signedHeaders = '', signature] = pattern.exec(headers.authorization ?? '') ?? [];
  const names = signedHeaders.split(';');
  const demanded = Object.keys(headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (!demanded.every((name) => names.includes(name)) || headers['x-amz-security-token'] !== 'session token')
    return false;
  const signer = new SignatureV4({
    credentials: { accessKeyId: fakeRole.accessKeyId, secretAccessKey: fakeRole.secretAccessKey },
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
    uriEscapePath: service !== 's3',
  });
  const date = String(headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5');
  const covered = Object.fromEntries(names.map((name) => [name, String(headers[name] ?? '')]));
  const again = await signer.sign(
    { method, protocol: 'https:', hostname: headers.host ?? '', path: url, headers: covered, body },
    { signingDate: new Date(date), signableHeaders: new Set(names) },
  );
  return again.headers.authorization?.endsWith(`Signature=${signature}`) === true;
}

/** Made once: every server here has the same names. */
let made: { readonly key: string; readonly cert: string } | undefined;

function certificateFor(names: readonly string[]): { readonly key: string; readonly cert: string } {
  made ??= makeCertificate(names);
  return made;
}

function makeCertificate(names: readonly string[]): { key: string; cert: string } {
  const alternatives = names.map((name) => `DNS:${name}`).join(',');
  const options = `-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=loopback -keyout - -out -`;
  const pem = execFileSync('openssl', ['req', ...options.split(' '), '-addext', `subjectAltName=${alternatives}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const block = (kind: string): string => new RegExp(`-+BEGIN ${kind}-+[^-]+-+END ${kind}-+`).exec(pem)?.[0] ?? '';
  return { key: block('PRIVATE KEY'), cert: block('CERTIFICATE') };
}
