/**
 * AWS' security token service on loopback, for GetCallerIdentity alone: verifies the signature of each request with the secret of the
 * credentials that it was signed with, and answers in AWS' form (query protocol: XML, or JSON to those who accept it), errors included.
 * It issues the credentials itself, as those of an assumed role.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

export interface StsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface FakeSts extends AsyncDisposable {
  readonly endpoint: string;
  /** How often it was asked. */
  readonly asked: number;
  /** Credentials as EC2 hands them to an instance of a role: then the session's name is the instance's id. */
  assume(role: { readonly roleId: string; readonly sessionName: string; readonly roleName?: string }): StsCredentials;
  /** From now on they are refused as expired. */
  expire(credentials: StsCredentials): void;
  /** Answers this instead, or breaks the connection; undefined: works again. */
  fault: { readonly status: number; readonly code: string } | 'broken' | undefined;
  /** XML whatever the client accepts, as endpoints do that know no JSON. */
  knowsJson: boolean;
}

interface Session extends StsCredentials {
  readonly arn: string;
  readonly userId: string;
  expired: boolean;
}

const account = '000000000000';

export async function startFakeSts(): Promise<FakeSts> {
  const sessions = new Map<string, Session>();
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : '';
  let asked = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    asked += 1;
    const body = await text(request);
    const { fault } = sts;
    if (fault === 'broken') return void request.socket.destroy();
    const asJson = sts.knowsJson && request.headers.accept?.includes('application/json') === true;
    const result = fault ?? (await judge(sessions, request, body));
    const status = 'status' in result ? result.status : 200;
    response.writeHead(status, { 'content-type': asJson ? 'application/json' : 'text/xml' });
    response.end(asJson ? JSON.stringify(jsonOf(result)) : xmlOf(result));
  }

  const sts: FakeSts = {
    endpoint: `http://127.0.0.1:${port}`,
    get asked() {
      return asked;
    },
    assume({ roleId, sessionName, roleName = 'host-role' }) {
      const session: Session = {
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64url'),
        sessionToken: randomBytes(100).toString('base64'),
        userId: `${roleId}:${sessionName}`,
        arn: `arn:aws:sts::${account}:assumed-role/${roleName}/${sessionName}`,
        expired: false,
      };
      sessions.set(session.accessKeyId, session);
      return session;
    },
    expire({ accessKeyId }) {
      const session = sessions.get(accessKeyId);
      if (session !== undefined) session.expired = true;
    },
    fault: undefined,
    knowsJson: true,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return sts;
}

type Result = Pick<Session, 'userId' | 'arn'> | { readonly status: number; readonly code: string };

const messages: Readonly<Record<string, string>> = {
  ExpiredToken: 'The security token included in the request is expired',
  InvalidClientTokenId: 'The security token included in the request is invalid',
  InvalidAction: 'Could not find operation for version 2011-06-15',
  SignatureDoesNotMatch:
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
};

async function judge(sessions: Map<string, Session>, request: IncomingMessage, body: string): Promise<Result> {
  const [, accessKeyId = '', region = '', signedHeaders = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/sts\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)$/.exec(
      request.headers.authorization ?? '',
    ) ?? [];
  const session = sessions.get(accessKeyId);
  if (session === undefined || request.headers['x-amz-security-token'] !== session.sessionToken) {
    return { status: 403, code: 'InvalidClientTokenId' };
  }
  if (session.expired) return { status: 403, code: 'ExpiredToken' };
  const expected = await signatureOf(session, region, signedHeaders.split(';'), request, body);
  if (expected !== signature) return { status: 403, code: 'SignatureDoesNotMatch' };
  const form = new URLSearchParams(body);
  const isKnown = form.get('Action') === 'GetCallerIdentity' && form.get('Version') === '2011-06-15';
  return isKnown ? session : { status: 400, code: 'InvalidAction' };
}

async function signatureOf(
  credentials: Session,
  region: string,
  names: readonly string[],
  { method = '', url = '', headers }: IncomingMessage,
  body: string,
): Promise<string | undefined> {
  const signer = new SignatureV4({ credentials, region, service: 'sts', sha256: Sha256, applyChecksum: false });
  const covered = Object.fromEntries(names.map((name) => [name, headerOf(headers, name)]));
  const signed = await signer.sign(
    { method, protocol: 'https:', hostname: headerOf(headers, 'host'), path: url, headers: covered, body },
    { signingDate: dateOf(headerOf(headers, 'x-amz-date')), signableHeaders: new Set(names) },
  );
  return /Signature=(\w+)$/.exec(signed.headers.authorization ?? '')?.[1];
}

const headerOf = (headers: IncomingHttpHeaders, name: string): string => String(headers[name] ?? '');

const dateOf = (compact: string): Date =>
  new Date(compact.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));

const jsonOf = (result: Result): object =>
  'code' in result
    ? { Error: { Code: result.code, Message: messages[result.code] ?? result.code, Type: 'Sender' }, RequestId: 'r' }
    : {
        GetCallerIdentityResponse: {
          GetCallerIdentityResult: { Account: account, Arn: result.arn, UserId: result.userId },
          ResponseMetadata: { RequestId: 'r' },
        },
      };

const xmlOf = (result: Result): string =>
  'code' in result
    ? `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${result.code}</Code>` +
      `<Message>${messages[result.code] ?? result.code}</Message></Error><RequestId>r</RequestId></ErrorResponse>`
    : `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${result.arn}</Arn>` +
      `<UserId>${result.userId}</UserId><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
