/**
 * The control plane as one object in one process: what a one-machine server and a test start. Wires deps, hub, loops and host routes
 * together; decides nothing.
 */
import type { Hono } from 'hono';
import type { ControlDeps, Metrics } from './deps.ts';
import { createEventWriter } from './events/writer.ts';
import { type ChannelHub, createChannelHub } from './hosts/channel-hub.ts';
import { createProgressGate } from './hosts/progress.ts';
import { createHostsApp } from './hosts/routes.ts';
import { type AccessKeys, createAccessKeys } from './keys/access-keys.ts';
import { createJoinTokens, type JoinTokens } from './keys/join-tokens.ts';
import { loops } from './loops/index.ts';
import { createLoopRunner, type LoopRunner } from './loops/runner.ts';
import { type OpenOptions, openDeps } from './open.ts';
import { handlers } from './operations/registry.ts';
import { createEventIds } from './store/event-ids.ts';
import { createTaskFeed } from './task-feed.ts';

/** The table is closed by `close`. */
export interface ControlOptions extends OpenOptions {
  /** Absent where nobody counts. */
  readonly metrics?: Metrics;
}

export interface Control {
  readonly deps: ControlDeps;
  readonly handlers: typeof handlers;
  readonly hostsApp: Hono;
  readonly hub: ChannelHub;
  readonly loops: LoopRunner;
  readonly accessKeys: AccessKeys;
  readonly joinTokens: JoinTokens;
  /** Starts the loops' timers. */
  start(): void;
  /** Whoever waits is answered at once, and hosts' sockets are closed: the process takes nothing new. */
  end(): void;
  /** Ends, stops the loops, and closes the table. */
  close(): Promise<void>;
}

/** Throws ClientException where the store belongs to another region or account. */
export async function createControl(options: ControlOptions): Promise<Control> {
  const { table, newId, log } = options;
  const feed = createTaskFeed();
  const hub = createChannelHub({ newId, onProgress: createProgressGate({ table, feed, log }) });
  const runner = createLoopRunner(loops, () => deps);
  const { metrics = { count: () => {} } } = options;
  // Of one process: no id of another can be the same.
  const nextId = createEventIds(options.clock.now, '00000000');
  const journal = { isKept: table.follow !== undefined, settleMs: 0, nextId };
  const ending = new AbortController();
  const ports = {
    wake: hub,
    feed,
    logs: hub,
    hostImages: hub,
    hostStats: hub,
    activate: runner.activate,
    metrics,
    journal,
    ending: ending.signal,
  };
  const deps = await openDeps(options, ports);
  table.follow?.(createEventWriter(deps));
  const end = (): void => {
    ending.abort();
    hub.close();
  };
  return {
    deps,
    handlers,
    hostsApp: createHostsApp(deps),
    hub,
    loops: runner,
    accessKeys: createAccessKeys(deps),
    joinTokens: createJoinTokens(deps),
    start: () => runner.start(),
    end,
    async close() {
      end();
      await runner.stop();
      await table.close();
    },
  };
}
