/** The presigned address at which CloudFormation waits for an answer. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

interface Received {
  readonly method: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

export interface ResponseUrl extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** How it answers, in order; 200 once they are used up. */
  readonly statuses: number[];
}

export async function startResponseUrl(): Promise<ResponseUrl> {
  const received: Received[] = [];
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        received.push({ method: request.method, contentType: request.headers['content-type'], body });
        response.writeHead(statuses.shift() ?? 200).end();
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/response?signature=x`,
    received,
    statuses,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
