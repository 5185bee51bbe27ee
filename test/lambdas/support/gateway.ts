/** A service of AWS that is posted to, on loopback (the management side of a WebSocket API, Lambda): what came, and how it answers. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';

export interface FakeGateway extends AsyncDisposable {
  /** `http://…/<stage>`. */
  readonly endpoint: string;
  /** By connection, in the order of arrival. */
  readonly posted: {
    readonly path: string;
    readonly body: string;
    readonly authorization: string;
    readonly headers: IncomingHttpHeaders;
  }[];
  /** The status for a path; a promise that never resolves hangs. */
  answer: (path: string) => number | Promise<number>;
}

export async function startGateway(): Promise<FakeGateway> {
  const posted: FakeGateway['posted'] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    text(request)
      .then(async (body) => {
        const { headers } = request;
        posted.push({ path, body, authorization: headers.authorization ?? '', headers });
        response.writeHead(await gateway.answer(path)).end();
      })
      .catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const gateway: FakeGateway = {
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/prod`,
    posted,
    answer: () => 200,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return gateway;
}
