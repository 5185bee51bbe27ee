/**
 * Makes the machine what the records say: starts the agent of each launched host, and again where it has died, and takes away the hosts
 * that are to end. At each host one thing at a time, so that none is started while it is taken away. It runs in the control plane's
 * process, beside the only writer of the records; what it has begun and did not finish its successor finishes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { look, type Watch, watchOf } from '../supervise.ts';
import { agentRuns, type HostSurroundings, type LaunchedHosts } from './hosts.ts';
import type { FleetRecords, LiveHost } from './records.ts';

const lookIntervalMs = 500;
/** After a failure to take a host away, for which something else must come back first (containerd, mostly). */
const takeAwayAgainMs = 2000;

export interface KeeperSurroundings extends HostSurroundings {
  readonly records: FleetRecords;
  readonly hosts: LaunchedHosts;
  /** Admits a host to the cluster. */
  readonly joinToken: (cluster: string) => Promise<string>;
}

export class Keeper {
  readonly #surroundings: KeeperSurroundings;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #watches = new Map<string, Watch>();
  /** By host: when it is tried again to take it away (performance.now). */
  readonly #takeAwayAt = new Map<string, number>();
  #wake = new AbortController();

  constructor(surroundings: KeeperSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Look now. */
  wake(): void {
    this.#wake.abort();
  }

  /** Resolves when the signal has fired and nothing is being done any more. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      for (const host of this.#surroundings.records.live()) this.#tend(host);
      const woken = AbortSignal.any([signal, this.#wake.signal]);
      await delay(lookIntervalMs, undefined, { signal: woken }).catch(() => {}); // Woken early: it looks again, or ends.
    }
    await Promise.all(this.#busy.values());
  }

  #tend(host: LiveHost): void {
    const { instanceId, state } = host;
    if (this.#busy.has(instanceId)) return;
    const done = (state === 'ending' ? this.#end(host) : this.#keep(host)).finally(() => {
      this.#busy.delete(instanceId);
      const now = this.#surroundings.records.live().find((live) => live.instanceId === instanceId);
      if (now !== undefined && now.state === 'ending' && state !== 'ending') this.wake();
    });
    this.#busy.set(instanceId, done);
  }

  async #keep(host: LiveHost): Promise<void> {
    const { log } = this.#surroundings;
    const watch = this.#watches.get(host.instanceId) ?? this.#watch(host);
    await look(watch, (line) => log.warn({ host: host.instanceId }, line));
  }

  #watch(host: LiveHost): Watch {
    const { instanceId } = host;
    const { records, hosts, paths, joinToken } = this.#surroundings;
    const watch = watchOf({
      what: `the agent of ${instanceId}`,
      logFile: paths.agentLog(instanceId),
      isRunning: () => agentRuns(host, this.#surroundings),
      async start() {
        await hosts.start(host, await joinToken(host.cluster));
        await records.change(instanceId, ({ state }) => (state === 'pending' ? { state: 'running' } : {}));
      },
    });
    // Begun by somebody who may have come to nothing: it is completed at once, and adopted where it runs.
    watch.dueAt = performance.now();
    this.#watches.set(instanceId, watch);
    return watch;
  }

  async #end(host: LiveHost): Promise<void> {
    const { instanceId } = host;
    const { records, hosts, log } = this.#surroundings;
    this.#watches.delete(instanceId);
    if (performance.now() < (this.#takeAwayAt.get(instanceId) ?? 0)) return;
    try {
      const isLast = () => records.live().every((other) => other.instanceId === instanceId);
      await hosts.takeAway(host, isLast, () => records.end(instanceId));
      this.#takeAwayAt.delete(instanceId);
      log.info({ host: instanceId }, 'a launched host was taken away');
    } catch (error) {
      log.warn({ err: error, host: instanceId }, 'a launched host is not taken away yet; trying again');
      this.#takeAwayAt.set(instanceId, performance.now() + takeAwayAgainMs);
    }
  }
}
