/**
 * What a client can hold of the one machine's server by being slow, half-open, deaf or many: raw sockets against the real server, with
 * limits of some hundredths of a second. Each waits for its socket's end, which is what is promised.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { hostPaths } from '../../core/host-protocol.ts';
import { wakeFrame } from '../../core/wake-frame.ts';
import { type ConnectionLimits, createHttpServer, usualLimits } from '../../local/http-server.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

const limits: ConnectionLimits = {
  // Not so short that what is sent at once comes too late on a busy machine.
  headersMs: 400,
  requestMs: 800,
  idleMs: 400,
  unreadMs: 200,
  headerBytes: 8192,
  connections: 12,
  lookMs: 50,
};

let api: ApiServer;
let port: number;
beforeAll(async () => {
  api = await startApi({ limits });
  port = Number(new URL(api.endpoint).port);
});
afterAll(() => api[Symbol.asyncDispose]());

/** The server's end is all that it can say on a half-open connection; what is left is our side. */
async function endOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  // A reset is an end, too: `once` of Node would throw.
  await new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  socket.destroy();
  return Buffer.concat(chunks).toString();
}

interface Client {
  readonly socket: Socket;
  /** All that came until the socket's end. */
  readonly end: Promise<string>;
}

async function dial(to: number = port): Promise<Client> {
  const socket = connect({ host: '127.0.0.1', port: to, allowHalfOpen: true });
  socket.on('error', () => {}); // A reset is an end, too.
  await once(socket, 'connect');
  return {
    socket,
    get end() {
      return endOf(socket);
    },
  };
}

const health = 'GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n';

describe('a connection is cut', () => {
  it('on which nothing is ever sent', async () => {
    expect(await (await dial()).end).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  it.each([
    ['headers', 'GET / HTTP/1.1\r\n', 'X-Slow: 1\r\n'],
    ['a body', 'POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n', '{'],
    ['a body in chunks', 'POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\n{\r\n'],
  ])('whose %s come drop by drop', async (_, beginning, drop) => {
    const { socket, end } = await dial();
    socket.write(beginning);
    const drip = setInterval(() => socket.write(drop), 5);
    try {
      expect(await end).toMatch(/^(HTTP\/1\.1 408 |$)/);
    } finally {
      clearInterval(drip);
    }
  });

  it('that stays after its answer', async () => {
    const { socket, end } = await dial();
    socket.write(health);
    expect(await end).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*{"status":"ok"}$/);
  });

  it('whose headers are too long, and it is said', async () => {
    const { socket, end } = await dial();
    socket.write(`GET / HTTP/1.1\r\nHost: here\r\nX-Long: ${'x'.repeat(limits.headerBytes)}\r\n\r\n`);
    expect(await end).toMatch(/^HTTP\/1\.1 431 /);
  });

  describe.each([
    ['that is refused', hostPaths.wake('none'), /^HTTP\/1\.1 401 /],
    ['at no path at all', '//', /^HTTP\/1\.1 404 /],
  ])('of a WebSocket %s', (_, path, refusal) => {
    /** What is asked for is a WebSocket; resolves with the server's end of the connection. */
    async function ask(then: (socket: Socket) => void): Promise<{ readonly socket: Socket; readonly there: Socket }> {
      const client = await dial();
      const asked = once(api.server, 'upgrade');
      const header = `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'e'.repeat(22)}==\r\n`;
      client.socket.write(
        `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${header}\r\n`,
      );
      then(client.socket);
      return { socket: client.socket, there: (await asked)[1] };
    }

    it('though its client keeps its side open', async () => {
      const { socket, there } = await ask(() => {});
      await once(there, 'close');
      socket.end();
      expect(String((await once(socket, 'data'))[0])).toMatch(refusal);
    });

    it('whose client has gone when it is answered, and nothing else ends', async () => {
      const { there } = await ask((socket) => void socket.resetAndDestroy());
      if (!there.closed) await new Promise((resolve) => there.once('close', resolve));
      const { status } = await fetch(new URL('/healthz', api.endpoint));
      expect(status).toBe(200);
    });
  });

  it('that is one too many, and the others are served', async () => {
    const { server, close } = createHttpServer((_, response) => void response.end('served'), {
      ...usualLimits,
      connections: 2,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const there = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const first = await dial(there);
    const second = await dial(there);
    expect(await (await dial(there)).end).toBe('');
    for (const { socket } of [first, second]) socket.write(health);
    for (const { socket } of [first, second]) expect(String((await once(socket, 'data'))[0])).toContain(' 200 ');
    // Nor does the end wait for those that stay.
    await close(0, () => {});
    expect([await first.end, await second.end]).toEqual([expect.any(String), expect.any(String)]);
  });
});

it('a stream is cut whose reader takes nothing of it, and until then little of it is held', async () => {
  const ended = Promise.withResolvers<number>();
  async function writeOnAndOn(response: ServerResponse): Promise<void> {
    const line = Buffer.alloc(16 * 1024, 'x');
    while (!response.destroyed) if (!response.write(line)) await Promise.race([once(response, 'drain'), ended.promise]);
  }
  const { server, close } = createHttpServer(
    (_, response) => {
      response.on('close', () => ended.resolve(response.writableLength));
      void writeOnAndOn(response);
      // The others are for requests that come slowly, which a busy machine's may.
    },
    { ...usualLimits, unreadMs: limits.unreadMs, lookMs: limits.lookMs },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const { socket } = await dial(typeof address === 'object' ? (address?.port ?? 0) : 0);
  socket.pause();
  socket.write(health);
  expect(await ended.promise).toBeLessThan(1024 * 1024);
  socket.destroy();
  await close(0, () => {});
});

describe('what lasts is not cut', () => {
  /** Longer than any limit: a connection was idle for that long, and one after it. */
  const longTime = async () => {
    for (let round = 0; round < 2; round += 1) await (await dial()).end;
  };

  it('a long poll, which is answered when it is over', async () => {
    const { body } = await api.rest('POST', '/v1/task-definitions', {
      family: 'waits',
      containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }],
    });
    expect(body).toMatchObject({ taskDefinition: { revision: 1 } });
    const run = await api.rest('POST', '/v1/clusters/default/tasks', { taskDefinition: 'waits' });
    const path = `/v1/clusters/default/tasks/${/task\/default\/(\w+)/.exec(JSON.stringify(run.body))?.[1]}`;
    const polled = api.rest('GET', `${path}?wait=stopped&timeout=20`);
    const events = await fetch(new URL('/v1/events/stream', api.endpoint));
    expect(events.status).toBe(401);
    await longTime();
    expect((await api.rest('POST', `${path}/stop`)).status).toBe(200);
    expect((await polled).body).toMatchObject({ reached: 'yes', task: { lastStatus: 'STOPPED' } });
  });

  it('the WebSockets of a host', async () => {
    const host = await api.host();
    const path = hostPaths.wake(host.hostId);
    const socket = new WebSocket(new URL(path, api.endpoint.replace('http', 'ws')), {
      headers: host.signed('GET', path, ''),
    });
    // The first tells it to look once.
    expect(String((await once(socket, 'message'))[0])).toBe(wakeFrame);
    await longTime();
    const woken = once(socket, 'message');
    await api.control.deps.wake.hosts([host.hostId]);
    expect(String((await woken)[0])).toBe(wakeFrame);
    socket.close();
    await once(socket, 'close');
  });
});
