/**
 * A witness outside of everything that is tested: containers report to it over TCP that they began and that they end, so that it
 * knows which ran, how often, and how many at once on which host. It is reached at the address of the cloud's own bridge.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Run {
  /** What the container was told to call itself. */
  readonly name: string;
  /** The host's address: its containers come from there. */
  readonly host: string;
}

export interface Tally extends AsyncDisposable {
  /** `http://address:port/began/NAME` and `…/ended/NAME`. */
  readonly url: string;
  readonly began: readonly Run[];
  /** Resolves once it has said that it began. */
  beganBy(name: string): Promise<void>;
  /** It will not say that it ends: it was killed. */
  gone(name: string): void;
  /** The most that ran at once on one host. */
  readonly mostAtOnce: number;
}

/** `listenOn` is another where the bridge is not there yet. */
export async function startTally(address: string, listenOn = address): Promise<Tally> {
  const began: Run[] = [];
  const live = new Map<string, Set<string>>();
  const waiting = new Map<string, () => void>();
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    const [, verb, name = ''] = (request.url ?? '').split('/');
    const host = request.socket.remoteAddress ?? '';
    const here = live.get(host) ?? new Set();
    live.set(host, here);
    if (verb === 'began') {
      began.push({ name, host });
      waiting.get(name)?.();
      here.add(name);
      mostAtOnce = Math.max(mostAtOnce, here.size);
    } else here.delete(name);
    response.end('noted\n');
  });
  server.listen(0, listenOn);
  await once(server, 'listening');
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    began,
    beganBy: (name) =>
      began.some((run) => run.name === name) ? Promise.resolve() : new Promise((resolve) => waiting.set(name, resolve)),
    gone(name) {
      for (const here of live.values()) here.delete(name);
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
