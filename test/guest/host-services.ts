/**
 * What a host asks of AWS beside the control plane, on one loopback port: SSM's GetParameter and S3's GetObject, told apart by the host
 * name that was asked. Each request must be signed with the credentials of the instance's role, as those services check it.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Call } from '../cloud/iam/policy.ts';
import type { StsCredentials } from '../support/fake-sts.ts';

export interface HostServicesOptions {
  readonly region: string;
  readonly credentials: StsCredentials;
  readonly bucket: string;
  /** From the key of an object in the bucket to its file. */
  readonly objects: ReadonlyMap<string, string>;
  /** SSM's parameters by name. Read at each request. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Whether the role's policies allow it. */
  readonly allows: (call: Call) => boolean;
  readonly arn: (service: string, rest: string) => string;
}

export interface HostServices extends AsyncDisposable {
  readonly port: number;
  readonly names: readonly string[];
  /** What was asked and answered, such as `s3 GET /key 200`. */
  readonly answered: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly body: string | { readonly file: string };
}

export async function startHostServices(options: HostServicesOptions): Promise<HostServices> {
  const { region, bucket } = options;
  const services: Record<string, (request: IncomingMessage, body: string) => Promise<Answer>> = {
    [`${bucket}.s3.${region}.amazonaws.com`]: (request) => getObject(options, request),
    [`ssm.${region}.amazonaws.com`]: (request, body) => getParameter(options, request, body),
  };
  const answered: string[] = [];

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const host = String(request.headers.host);
    const answer = (await services[host]?.(request, body)) ?? { status: 404, body: 'no such host' };
    answered.push(`${host} ${request.method} ${request.url} ${answer.status}`);
    if (typeof answer.body === 'string') return void response.writeHead(answer.status).end(answer.body);
    response.writeHead(answer.status, { 'content-length': statSync(answer.body.file).size });
    createReadStream(answer.body.file).pipe(response);
  }

  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    names: Object.keys(services),
    answered,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function getObject(options: HostServicesOptions, request: IncomingMessage): Promise<Answer> {
  const refuse = (status: number, code: string): Answer => ({ status, body: `<Error><Code>${code}</Code></Error>` });
  if (request.method !== 'GET') return refuse(405, 'MethodNotAllowed');
  // S3 alone of all services insists on it.
  if (request.headers['x-amz-content-sha256'] === undefined) return refuse(400, 'InvalidRequest');
  if (!(await isSigned(options, request, 's3', ''))) return refuse(403, 'SignatureDoesNotMatch');
  const key = decodeURIComponent(request.url?.slice(1) ?? '');
  const call = { action: 's3:GetObject', resource: `arn:aws:s3:::${options.bucket}/${key}` };
  if (!options.allows(call)) return refuse(403, 'AccessDenied');
  const file = options.objects.get(key);
  return file === undefined ? refuse(404, 'NoSuchKey') : { status: 200, body: { file } };
}

async function getParameter(options: HostServicesOptions, request: IncomingMessage, body: string): Promise<Answer> {
  const refuse = (__type: string): Answer => ({ status: 400, body: JSON.stringify({ __type }) });
  if (request.headers['x-amz-target'] !== 'AmazonSSM.GetParameter') return refuse('UnknownOperationException');
  if (request.headers['content-type'] !== 'application/x-amz-json-1.1') return refuse('SerializationException');
  if (!(await isSigned(options, request, 'ssm', body))) return refuse('IncompleteSignatureException');
  const { Name } = JSON.parse(body);
  const call = { action: 'ssm:GetParameter', resource: options.arn('ssm', `parameter/${Name}`) };
  if (!options.allows(call)) return refuse('AccessDeniedException');
  const Value = options.parameters.get(Name);
  if (Value === undefined) return refuse('ParameterNotFound');
  return { status: 200, body: JSON.stringify({ Parameter: { Name, Type: 'String', Value, Version: 1 } }) };
}

/** Signs the request again with AWS' own library over the headers that its sender says it signed. */
async function isSigned(
  { credentials, region }: HostServicesOptions,
  { method = '', url = '', headers }: IncomingMessage,
  service: string,
  body: string,
): Promise<boolean> {
  const [, accessKeyId, signedRegion, signedService, signedNames = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const names = signedNames.split(';');
  const isOurs =
    accessKeyId === credentials.accessKeyId && headers['x-amz-security-token'] === credentials.sessionToken;
  const isForThis = signedRegion === region && signedService === service;
  // What says who is asked, by whom and when must be covered.
  const covers = ['host', 'x-amz-date', 'x-amz-security-token'].every((name) => names.includes(name));
  if (!isOurs || !isForThis || !covers) return false;
  const sum = headers['x-amz-content-sha256'];
  if (sum !== undefined && sum !== createHash('sha256').update(body).digest('hex')) return false;
  const header = (name: string): string => String(headers[name] ?? '');
  const signer = new SignatureV4({
    credentials,
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
    uriEscapePath: service !== 's3',
  });
  const request = {
    method,
    protocol: 'https:',
    hostname: header('host'),
    path: url,
    headers: Object.fromEntries(names.map((name) => [name, header(name)])),
    body,
  };
  const signingDate = new Date(header('x-amz-date').replace(/^(.{4})(..)(.{5})(..)(.+)$/, '$1-$2-$3:$4:$5'));
  const signed = await signer.sign(request, { signingDate, signableHeaders: new Set(names) });
  return /Signature=(\w+)$/.exec(signed.headers.authorization ?? '')?.[1] === signature;
}
