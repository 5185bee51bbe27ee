/** The emulator behind a proxy that injects DynamoDB's faults: for servers in a process of their own, which take only an endpoint. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ConsumedUnits } from './consumed-units.ts';
import {
  type FaultCounts,
  FaultInjector,
  type FaultRates,
  InjectedError,
  LostAnswer,
  type Wire,
} from './dynamodb-faults.ts';
import { startDynoxide } from './dynoxide.ts';

export interface FaultyDynamo extends AsyncDisposable {
  /** For `--dynamodb-endpoint`; any credentials. */
  readonly endpoint: string;
  /** The emulator itself, for what belongs to no client: tables and streams. */
  readonly upstream: string;
  /** Its rates can be changed while it runs. */
  readonly injector: FaultInjector;
  readonly counts: FaultCounts;
  /** By all requests that came through. */
  readonly consumed: ConsumedUnits;
}

export interface FaultyDynamoOptions {
  readonly seed: number;
  readonly rates: FaultRates;
  /** Sees each request first; throws an InjectedError to refuse it. */
  readonly admit?: (operation: string, input: Wire, authorization: string) => void;
}

const contentType = 'application/x-amz-json-1.0';
const target = 'DynamoDB_20120810.';

/** An error answer of the emulator itself. */
class UpstreamError extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(body);
    this.status = status;
    this.body = body;
  }
}

export async function startFaultyDynamo(options: FaultyDynamoOptions): Promise<FaultyDynamo> {
  const { seed, rates, admit = () => {} } = options;
  const dynoxide = await startDynoxide();
  const injector = new FaultInjector(seed, rates);
  const consumed = new ConsumedUnits();
  const proxy = createServer((request, response) => {
    // A broken connection to the emulator breaks the client's too.
    handle(request, response, { injector, admit, consumed, upstream: dynoxide.endpoint }).catch(() =>
      response.destroy(),
    );
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    upstream: dynoxide.endpoint,
    injector,
    counts: injector.counts,
    consumed,
    async [Symbol.asyncDispose]() {
      proxy.close();
      proxy.closeAllConnections();
      await dynoxide[Symbol.asyncDispose]();
    },
  };
}

interface Behind {
  readonly injector: FaultInjector;
  readonly admit: NonNullable<FaultyDynamoOptions['admit']>;
  readonly consumed: ConsumedUnits;
  readonly upstream: string;
}

async function handle(request: IncomingMessage, response: ServerResponse, behind: Behind) {
  const { injector, admit, consumed, upstream } = behind;
  const { authorization = '', 'x-amz-date': date = '' } = request.headers; // It wants a signature, and checks none.
  const forward = async (operation: string, input: Wire): Promise<Wire> => {
    const answer = await fetch(upstream, {
      method: 'POST',
      headers: {
        'content-type': contentType,
        'x-amz-target': target + operation,
        authorization,
        'x-amz-date': String(date),
      },
      body: JSON.stringify(input),
    });
    const body = await answer.text();
    if (!answer.ok) throw new UpstreamError(answer.status, body);
    return JSON.parse(body);
  };
  const operation = String(request.headers['x-amz-target']).slice(target.length);
  try {
    const input = JSON.parse(await text(request));
    admit(operation, input, authorization);
    // What the injector asks for itself is nobody's consumption.
    const output = await injector.intercept(operation, consumed.asking(operation, input), forward);
    consumed.add(operation, output, accessKeyOf(authorization) ?? '');
    send(response, 200, JSON.stringify(output));
  } catch (error) {
    if (error instanceof UpstreamError) return send(response, error.status, error.body);
    if (error instanceof LostAnswer) return response.destroy();
    if (!(error instanceof InjectedError)) throw error;
    const { name, message, details } = error;
    send(response, 400, JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message, ...details }));
  }
}

/** Of an `Authorization` header. */
export const accessKeyOf = (authorization: string): string | undefined =>
  /Credential=([^/,\s]+)\//.exec(authorization)?.[1];

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': contentType }).end(body);
}
