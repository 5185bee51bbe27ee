/**
 * The AWS services that functions call by JSON over HTTP, on one loopback port: EventBridge (which records what it is given) and KMS.
 * Every call needs the right in the caller's policies; an operation that is not here is refused loudly and noted.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { denialMessage, type Identities } from '../iam/identities.ts';
import type { Call } from '../iam/policy.ts';

/** One operation: what it needs and what it answers. Throws a ServiceError. */
export interface ServiceOperation {
  readonly call: (input: Record<string, unknown>) => Call;
  readonly run: (input: Record<string, unknown>) => object;
}

export class ServiceError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export interface AwsServices extends AsyncDisposable {
  readonly url: string;
  /** Calls of operations that are not here. */
  readonly unknown: readonly string[];
}

/** Operations by the value of X-Amz-Target. */
export async function startAwsServices(
  identities: Identities,
  operations: ReadonlyMap<string, ServiceOperation>,
): Promise<AwsServices> {
  const unknown: string[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = String(request.headers['x-amz-target'] ?? `${request.method} ${request.url}`);
    const operation = operations.get(target);
    const body = await text(request);
    if (operation === undefined) {
      unknown.push(target);
      return answer(response, 501, { __type: 'NotImplemented', message: `${target} does not exist on this loopback` });
    }
    const identity = identities.ofHeader(request.headers.authorization);
    const input = JSON.parse(body);
    const call = operation.call(input);
    if (identity === undefined)
      return answer(response, 400, { __type: 'UnrecognizedClientException', message: 'unknown key' });
    if (!identities.allows(identity, call))
      return answer(response, 400, { __type: 'AccessDeniedException', message: denialMessage(identity, call) });
    try {
      answer(response, 200, operation.run(input));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      answer(response, 400, { __type: error.type, message: error.message });
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    unknown,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
}
