/**
 * SSM and S3 as far as a host's updater asks them: one parameter that names an agent release, and the archives in a bucket. Each request
 * must be signed as AWS wants it. It is a handler, for a server of either kind behind any name: which service is meant, the Host says.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface ReleaseStoreOptions {
  readonly region: string;
  readonly bucket: string;
  /** Name of the parameter. */
  readonly parameter: string;
  /** Those of the hosts' role, by the id of the access key. */
  readonly credentialsOf: (accessKeyId: string) => Credentials | undefined;
}

export class ReleaseStore {
  /** What the parameter says: `<key in the bucket> <SHA-256>`. */
  release = '';
  /** What the bucket holds, by key. */
  readonly objects = new Map<string, Buffer>();
  /** `host METHOD path`, in order. */
  readonly requests: string[] = [];
  private readonly options: ReleaseStoreOptions;

  constructor(options: ReleaseStoreOptions) {
    this.options = options;
  }

  /** The names under which hosts reach it. */
  get names(): readonly string[] {
    const { region, bucket } = this.options;
    return [`ssm.${region}.amazonaws.com`, `${bucket}.s3.${region}.amazonaws.com`];
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { host = '' } = request.headers;
    this.requests.push(`${host} ${request.method} ${request.url}`);
    const service = host.startsWith('ssm.') ? 'ssm' : 's3';
    const [status, answered] =
      this.names.includes(host) && (await this.isSigned(request, service, body))
        ? this.served(service, request, body)
        : [403, '{"__type":"SignatureDoesNotMatch"}'];
    response.writeHead(status).end(answered);
  }

  private served(
    service: string,
    { method, url = '', headers }: IncomingMessage,
    body: Buffer,
  ): [number, string | Buffer] {
    if (service === 's3') {
      const object = method === 'GET' ? this.objects.get(url.slice(1)) : undefined;
      return object === undefined ? [404, '<Error><Code>NoSuchKey</Code></Error>'] : [200, object];
    }
    const { parameter } = this.options;
    const isCall =
      headers['x-amz-target'] === 'AmazonSSM.GetParameter' && headers['content-type'] === 'application/x-amz-json-1.1';
    if (!isCall || JSON.parse(body.toString()).Name !== parameter) return [400, '{"__type":"ParameterNotFound"}'];
    const answered = { ARN: 'arn', DataType: 'text', Name: parameter, Type: 'String', Value: this.release, Version: 1 };
    return [200, JSON.stringify({ Parameter: answered })];
  }

  /** With all signed that AWS wants signed. */
  private async isSigned(request: IncomingMessage, service: string, body: Buffer): Promise<boolean> {
    const { headers } = request;
    const { region } = this.options;
    const pattern =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)$/;
    const [, keyId = '', ofRegion, ofService, signed = '', signature] = pattern.exec(headers.authorization ?? '') ?? [];
    const names = signed.split(';');
    const demanded = Object.keys(headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
    const credentials = this.options.credentialsOf(keyId);
    if (credentials === undefined || headers['x-amz-security-token'] !== credentials.sessionToken) return false;
    if (ofRegion !== region || ofService !== service || !demanded.every((name) => names.includes(name))) return false;
    const { accessKeyId, secretAccessKey } = credentials;
    const signer = new SignatureV4({
      credentials: { accessKeyId, secretAccessKey },
      region,
      service,
      sha256: Sha256,
      applyChecksum: false,
      uriEscapePath: service !== 's3',
    });
    const date = String(headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5');
    const again = await signer.sign(
      {
        method: request.method ?? '',
        protocol: 'https:',
        hostname: headers.host ?? '',
        path: request.url ?? '',
        headers: Object.fromEntries(names.map((name) => [name, String(headers[name] ?? '')])),
        body,
      },
      { signingDate: new Date(date), signableHeaders: new Set(names) },
    );
    return again.headers.authorization?.endsWith(`Signature=${signature}`) === true;
  }
}
