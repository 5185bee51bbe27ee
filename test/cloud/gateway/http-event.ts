/**
 * HTTP requests as events of payload format 2.0, and its answers as HTTP responses, as API Gateway's HTTP APIs make them. That
 * includes what hurts: the path arrives decoded and cut at a decoded question mark, headers are joined by commas, and a body is in
 * base64 unless its type is text, JSON, XML or JavaScript (aws-testing.md; verified on AWS by others, see the links there).
 */
import { randomUUID } from 'node:crypto';

export interface HttpRequest {
  readonly method: string;
  /** As on the wire: percent-encoded path and query. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly sourceIp: string;
}

export interface EventContext {
  readonly accountId: string;
  readonly apiId: string;
  readonly stage: string;
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  /** `requestContext.authorizer.iam` of a route that IAM authorizes. */
  readonly iam?: IamCaller | undefined;
}

export interface IamCaller {
  readonly accessKey: string;
  readonly accountId: string;
  readonly callerId: string;
  readonly userArn: string;
  readonly userId: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

const textTypes = /^(text\/.*|application\/(json|xml|javascript))$/;

/** The path as the function sees it. */
export function decodedPath(target: string): string {
  const path = target.split('?')[0] ?? '';
  return decodeOr(path).split('?')[0] ?? '';
}

function decodeOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function httpEvent(request: HttpRequest, context: EventContext): object {
  const { method, target, headers, body, sourceIp } = request;
  const [, rawQueryString = ''] = /\?(.*)$/s.exec(target) ?? [];
  const { cookie, ...others } = headers;
  const path = decodedPath(target);
  const isText = textTypes.test((headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '');
  const now = Date.now();
  return {
    version: '2.0',
    routeKey: context.routeKey,
    rawPath: path,
    rawQueryString,
    ...(cookie !== undefined && { cookies: cookie.split(/;\s*/) }),
    headers: {
      ...others,
      'x-amzn-trace-id': `Root=1-${Math.floor(now / 1000).toString(16)}-${'0'.repeat(24)}`,
      'x-forwarded-for': sourceIp,
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    ...(rawQueryString !== '' && { queryStringParameters: joinedQuery(rawQueryString) }),
    ...(Object.keys(context.pathParameters).length > 0 && { pathParameters: context.pathParameters }),
    requestContext: {
      accountId: context.accountId,
      apiId: context.apiId,
      ...(context.iam !== undefined && { authorizer: { iam: { ...context.iam, ...absentIam } } }),
      domainName: headers.host ?? '',
      domainPrefix: context.apiId,
      http: { method, path, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId: randomUUID(),
      routeKey: context.routeKey,
      stage: context.stage,
      time: new Date(now).toUTCString(),
      timeEpoch: now,
    },
    ...(body.length > 0 && { body: isText ? body.toString('utf8') : body.toString('base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

const absentIam = { cognitoIdentity: null, principalOrgId: null };

function joinedQuery(query: string): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query))
    joined[name] = name in joined ? `${joined[name]},${value}` : value;
  return joined;
}

/** Undefined where the function's answer is not one of HTTP. An object without a status is a body, as the format says. */
export function httpResponse(payload: unknown): HttpResponse | undefined {
  if (typeof payload !== 'object' || payload === null || !('statusCode' in payload)) {
    if (payload === null || payload === undefined) return undefined;
    const body = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
    return { status: 200, headers: { 'content-type': 'application/json' }, cookies: [], body };
  }
  const { statusCode, headers = {}, cookies = [], body = '', isBase64Encoded = false } = Object(payload);
  if (!Number.isInteger(statusCode) || typeof body !== 'string') return undefined;
  return {
    status: statusCode,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])),
    cookies,
    body: Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

/** What API Gateway answers by itself. */
export const gatewayAnswer = (status: number, message: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  cookies: [],
  body: Buffer.from(JSON.stringify({ message })),
});
