/** A socket to the control plane from the other end: what keeps it open, when it is dialled anew, and what a gateway's refusals do. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { keepConnected } from '../../../agent/control-plane/socket.ts';
import type { Upkeep } from '../../../agent/control-plane/upkeep.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const minute = 60_000;

/** A gateway and a host that keeps one socket to it open. */
async function open(upkeep: Upkeep, { random = (): number => 0, autoPong = true } = {}) {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, autoPong });
  const dials: IncomingMessage[] = [];
  const opened: WebSocket[] = [];
  const frames: string[] = [];
  const closes: number[] = [];
  let refusal: number | undefined;
  let pings = 0;
  server.on('upgrade', (request, socket, head) => {
    dials.push(request);
    if (refusal !== undefined) return void socket.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`);
    sockets.handleUpgrade(request, socket, head, (peer) => {
      opened.push(peer);
      peer.on('message', (data: Buffer) => frames.push(data.toString()));
      peer.on('ping', () => {
        pings += 1;
      });
      peer.on('close', (code) => closes.push(code));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clock = new ManualClock();
  const end = new AbortController();
  let hostOpened = 0;
  const done = keepConnected(
    {
      url: new URL(`ws://127.0.0.1:${port}/live`),
      sign: (method, url) => ({ 'content-digest': '', 'signature-input': `${method} ${url.pathname}`, signature: '' }),
      upkeep,
      clock,
      random,
      log: pino({ level: 'silent' }),
    },
    { opened: () => (hostOpened += 1), message: () => {}, closed: () => {} },
    end.signal,
  );
  return {
    clock,
    dials,
    opened,
    frames,
    closes,
    pings: () => pings,
    refuse(status: number | undefined) {
      refusal = status;
    },
    /** Both ends have seen that many connections open. */
    whenOpened: (count: number) => vi.waitUntil(() => hostOpened === count && opened.length === count, { interval: 2 }),
    async [Symbol.asyncDispose]() {
      end.abort();
      await done;
      server.closeAllConnections();
      server.close();
    },
  };
}

const gateway: Upkeep = { pings: 'none', isRenewed: true };

test.each([
  ['the least', 0, 4],
  ['nearly the most', 0.999, 4.999],
])('a data frame is sent again and again, after %s', async (_, random, minutes) => {
  await using world = await open(gateway, { random: () => random });
  await world.whenOpened(1);
  await world.clock.advance(minutes * minute - 1000);
  expect(world.frames).toHaveLength(0);
  for (const count of [1, 2, 3]) {
    await world.clock.advance(count === 1 ? 2000 : minutes * minute);
    await vi.waitUntil(() => world.frames.length === count, { interval: 2 });
  }
  expect(world.pings(), 'a gateway is not pinged').toBe(0);
});

test.each([
  ['90 minutes', 0, 90],
  ['nearly 115', 0.999, 114.9],
])('the socket is closed and dialled anew after %s, without a pause', async (_, random, minutes) => {
  await using world = await open(gateway, { random: () => random });
  await world.whenOpened(1);
  await world.clock.advance(minutes * minute - 1000);
  expect(world.closes).toEqual([]);
  await world.clock.advance(100 * 1000);
  await world.whenOpened(2); // The clock stands still: a pause would not end.
  expect(world.closes).toEqual([1000]);
  expect(world.dials[1]?.headers['signature-input'], 'signed anew').toBe('GET /live');
});

test('a peer that does not answer the close of a renewal is left behind', async () => {
  await using world = await open(gateway);
  await world.whenOpened(1);
  const [peer] = world.opened;
  peer?.pause(); // It reads nothing any more.
  await world.clock.advance(90 * minute);
  expect(world.dials).toHaveLength(1);
  await world.clock.advance(2000);
  await world.whenOpened(2);
});

test('whoever ends the connection, it is dialled again after a pause, which grows with refusals', async () => {
  await using world = await open(gateway);
  await world.whenOpened(1);
  world.refuse(410); // As a gateway answers whose connection is gone, or whose API is.
  world.opened[0]?.close(1001, 'Going away');
  const pauses: number[] = [];
  for (const count of [2, 3, 4, 5]) {
    await vi.waitUntil(() => world.clock.nextMs <= 20_000, { interval: 2 });
    pauses.push(world.clock.nextMs);
    await world.clock.advance(world.clock.nextMs);
    await vi.waitUntil(() => world.dials.length === count, { interval: 2 });
  }
  expect(pauses).toEqual([125, 250, 500, 1000]);
  world.refuse(undefined);
  await vi.waitUntil(() => world.clock.nextMs <= 20_000, { interval: 2 });
  await world.clock.advance(world.clock.nextMs);
  await world.whenOpened(2);
});

test('a peer that is to answer pings and does not is gone', async () => {
  await using world = await open({ pings: 'answered', isRenewed: false }, { autoPong: false });
  await world.whenOpened(1);
  await world.clock.advance(30_000);
  await vi.waitUntil(() => world.pings() === 1, { interval: 2 });
  expect(world.closes).toEqual([]);
  await world.clock.advance(30_000);
  await vi.waitUntil(() => world.closes.length === 1, { interval: 2 });
  await world.clock.advance(250);
  await world.whenOpened(2);
});

test('a peer that may be slow is pinged and never given up', async () => {
  await using world = await open({ pings: 'unanswered', isRenewed: false }, { autoPong: false });
  await world.whenOpened(1);
  for (const count of [1, 2, 3, 4]) {
    await world.clock.advance(30_000);
    await vi.waitUntil(() => world.pings() === count, { interval: 2 });
  }
  expect(world.closes).toEqual([]);
  expect(world.frames, 'and sent no data').toEqual([]);
});
