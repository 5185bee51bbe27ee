/** A receiver of webhooks on loopback: keeps what it is sent and answers as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { EventView } from '../../../core/api/events.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
}

export interface TestReceiver extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
  /** Ids of the events that have come so far, in order, repetitions included. */
  readonly eventIds: () => string[];
  /** From now on (at first: 200). A promise is waited for. */
  answers(reply: Reply | (() => Reply | Promise<Reply>)): void;
  /** When so many requests have come since the beginning. */
  arrived(count: number): Promise<void>;
}

export const eventsIn = ({ body }: Received): readonly EventView[] => JSON.parse(body).data.events;

export async function startReceiver(): Promise<TestReceiver> {
  const received: Received[] = [];
  let reply: () => Reply | Promise<Reply> = () => ({ status: 200 });
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    received.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
    for (const { resolve } of waiting.filter(({ count }) => count <= received.length)) resolve();
    waiting = waiting.filter(({ count }) => count > received.length);
    const { status, headers = {} } = await reply();
    response.writeHead(status, headers).end('thank you');
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`,
    received,
    eventIds: () => received.flatMap((one) => eventsIn(one).map(({ id }) => id)),
    answers(next) {
      reply = typeof next === 'function' ? next : () => next;
    },
    arrived: (count) =>
      received.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push({ count, resolve });
          }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
