/**
 * The control plane as one object: what a one-machine server, a Lambda entry and a test start. Wires deps, hub, loops and host routes
 * together; decides nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Hono } from 'hono';
import { createCapacityView } from './capacity-view.ts';
import type { Clock, ControlDeps, Log, Random, Settings } from './deps.ts';
import { type ChannelHub, createChannelHub } from './hosts/channel-hub.ts';
import { createProgressGate } from './hosts/progress.ts';
import { createHostsApp } from './hosts/routes.ts';
import { type AccessKeys, createAccessKeys } from './keys/access-keys.ts';
import { createJoinTokens, type JoinTokens } from './keys/join-tokens.ts';
import { loops } from './loops/index.ts';
import { createLoopRunner, type LoopRunner } from './loops/runner.ts';
import { openStore, type WantedRealm } from './open-store.ts';
import { handlers } from './operations/registry.ts';
import { createRecentReads } from './recent-reads.ts';
import type { Table } from './store/table.ts';
import { createTaskFeed } from './task-feed.ts';

export interface ControlOptions {
  /** Closed by `close`. */
  readonly table: Table;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** 32 lower-case hexadecimal digits that nobody can guess. */
  readonly newId: () => string;
  readonly sleep?: ControlDeps['sleep'];
  readonly settings?: Partial<Settings>;
  /** For a new store; an existing one must agree. */
  readonly realm?: WantedRealm;
  /** In place of what serves within one process: where each invocation is one of many, others wake hosts and activate loops. */
  readonly ports?: Partial<Pick<ControlDeps, 'wake' | 'feed' | 'logs' | 'activate' | 'metrics'>>;
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
  /** Ends loops and sockets, then closes the table. */
  close(): Promise<void>;
}

const defaultSettings: Settings = {
  placementTimeoutSeconds: 600,
  retentionSeconds: 7 * 24 * 3600,
  heartbeatSeconds: 60,
};

const pause: ControlDeps['sleep'] = async (ms, signal) => {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
};

/** Throws ClientException where the store belongs to another region or account. */
export async function createControl(options: ControlOptions): Promise<Control> {
  const { table, clock, random, newId, log } = options;
  const sleep = options.sleep ?? pause;
  const { region, accountId, epoch } = await openStore({ table, clock, newId, random, sleep }, options.realm ?? {});
  const feed = createTaskFeed();
  const hub = createChannelHub({ newId, onProgress: createProgressGate({ table, feed, log }) });
  const runner = createLoopRunner(loops, () => deps);
  const deps: ControlDeps = {
    table,
    realm: { region, accountId },
    storeEpoch: epoch,
    clock,
    random,
    sleep,
    newId,
    wake: hub,
    feed,
    logs: hub,
    activate: runner.activate,
    metrics: { count: () => {} },
    capacity: createCapacityView(table, clock),
    recent: createRecentReads(table, clock),
    settings: { ...defaultSettings, ...options.settings },
    log,
    ...options.ports,
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
    async close() {
      await runner.stop();
      hub.close();
      await table.close();
    },
  };
}
