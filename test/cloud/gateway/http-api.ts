/**
 * An HTTP API of API Gateway on loopback: finds the route, lets IAM decide where the route says so, gives the function an event of
 * payload format 2.0, and answers within the limits of the service. Transport only; what a request means is the function's business.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Identities } from '../iam/identities.ts';
import type { LambdaFunction } from '../lambda/lambda-function.ts';
import {
  decodedPath,
  gatewayAnswer,
  type HttpRequest,
  type HttpResponse,
  httpEvent,
  httpResponse,
  type IamCaller,
} from './http-event.ts';
import { matchRoute, type Route } from './routes.ts';
import { signerOf } from './sigv4.ts';

export interface HttpRoute extends Route {
  readonly authorization: 'NONE' | 'AWS_IAM';
  readonly target: LambdaFunction;
  readonly timeoutMs: number;
}

export interface HttpApiOptions {
  readonly apiId: string;
  readonly accountId: string;
  readonly region: string;
  readonly identities: Identities;
}

/** API Gateway's own. */
const maxRequestBytes = 10 * 1024 * 1024;

export class HttpApi {
  readonly #options: HttpApiOptions & { stage: string };
  readonly #server: Server;
  routes: readonly HttpRoute[] = [];
  /** True: requests that carry X-Amz-Target are refused, as AWS is likely to do (aws-testing.md section 5). */
  refusesAmzTarget = true;
  requests = 0;

  constructor(options: HttpApiOptions) {
    this.#options = { ...options, stage: '' };
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Nothing is at the API before it has a stage. */
  deploy(stage: string): void {
    this.#options.stage = stage;
  }

  /** `127.0.0.1:PORT` */
  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const body = await buffer(request);
    const { status, headers, cookies, body: content } = await this.#answer(requestOf(request, body));
    for (const [name, value] of Object.entries(headers)) if (name !== 'content-length') response.setHeader(name, value);
    if (cookies.length > 0) response.setHeader('set-cookie', cookies);
    response.setHeader('apigw-requestid', `${this.requests}`);
    response.statusCode = status;
    response.end(status === 304 || status === 204 ? undefined : content);
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    if (request.body.length > maxRequestBytes) return gatewayAnswer(413, 'Request Entity Too Large');
    if (this.refusesAmzTarget && 'x-amz-target' in request.headers) return gatewayAnswer(403, targetMessage);
    const path = decodedPath(request.target);
    // Of another stage the name would be the first part of each path.
    if (this.#options.stage !== '$default') return gatewayAnswer(404, 'Not Found');
    const match = matchRoute(this.routes, request.method, path);
    if (match === undefined) return gatewayAnswer(404, 'Not Found');
    const iam = await this.#authorize(match.route, request, path);
    if (iam === 'refused') return gatewayAnswer(403, 'Forbidden');
    const { accountId, apiId, stage } = this.#options;
    const { route, pathParameters } = match;
    const context = { accountId, apiId, stage, routeKey: route.key, pathParameters, iam };
    return withinTime(callFunction(route.target, httpEvent(request, context)), route.timeoutMs);
  }

  async #authorize(route: HttpRoute, request: HttpRequest, path: string): Promise<IamCaller | 'refused' | undefined> {
    if (route.authorization === 'NONE') return undefined;
    const { identities, region, accountId, apiId, stage } = this.#options;
    const identity = await signerOf(request, identities, region);
    if (identity === undefined) return 'refused';
    const resource = `arn:aws:execute-api:${region}:${accountId}:${apiId}/${stage}/${request.method}${path}`;
    if (!identities.allows(identity, { action: 'execute-api:Invoke', resource })) return 'refused';
    const userId = identity.accessKeyId.replace(/^ASIA/, 'AIDA');
    return { accessKey: identity.accessKeyId, accountId, callerId: userId, userArn: identity.arn, userId };
  }
}

const targetMessage =
  'The service name "BackplaneExecutionService" identified from the payload does not agree with the service name specified in the transport header';

function requestOf(request: IncomingMessage, body: Buffer): HttpRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    headers,
    body,
    sourceIp: request.socket.remoteAddress ?? '',
  };
}

async function callFunction(target: LambdaFunction, event: object): Promise<HttpResponse> {
  const outcome = await target.invoke(event);
  if (outcome.kind === 'throttled') return gatewayAnswer(503, 'Service Unavailable');
  if (outcome.kind === 'failed') {
    const isLarge = outcome.errorType === 'RequestEntityTooLargeException';
    return isLarge ? gatewayAnswer(413, 'Request Entity Too Large') : gatewayAnswer(500, 'Internal Server Error');
  }
  return httpResponse(outcome.payload) ?? gatewayAnswer(500, 'Internal Server Error');
}

/** The function goes on; nobody hears its answer. */
async function withinTime(answer: Promise<HttpResponse>, timeoutMs: number): Promise<HttpResponse> {
  const { promise, resolve } = Promise.withResolvers<HttpResponse>();
  const timer = setTimeout(() => resolve(gatewayAnswer(503, 'Service Unavailable')), timeoutMs);
  const first = await Promise.race([answer, promise]);
  clearTimeout(timer);
  return first;
}
