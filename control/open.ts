/**
 * Opens the control plane's dependencies over a store, without anything that runs by itself: what a Lambda entry starts with, and what
 * createControl adds loops, hub and host routes to.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createCapacityView } from './capacity-view.ts';
import type { ControlDeps, Settings } from './deps.ts';
import { openStore, type WantedRealm } from './open-store.ts';
import { createRecentReads } from './recent-reads.ts';

/** What the world gives as it is; the rest is made here. */
type Given = Pick<
  ControlDeps,
  | 'table'
  | 'log'
  | 'clock'
  | 'random'
  | 'newId'
  | 'callerIdentity'
  | 'secretBox'
  | 'laterSecretBox'
  | 'fleet'
  | 'catalogue'
  | 'tracing'
>;

export interface OpenOptions extends Given {
  readonly sleep?: ControlDeps['sleep'];
  readonly settings?: Partial<Settings>;
  /** For a new store; an existing one must agree. */
  readonly realm?: WantedRealm;
}

/** What differs between one process that does everything and many that each answer one request. */
export type Ports = Pick<
  ControlDeps,
  'wake' | 'feed' | 'logs' | 'hostImages' | 'hostStats' | 'activate' | 'metrics' | 'journal' | 'ending'
>;

const defaultSettings: Settings = {
  placementTimeoutSeconds: 600,
  retentionSeconds: 7 * 24 * 3600,
  auditSeconds: 90 * 24 * 3600,
  heartbeatSeconds: 60,
  timerJitterSeconds: 0,
  webhookAddresses: 'public',
};

export const pause: ControlDeps['sleep'] = async (ms, signal) => {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
};

/** Throws ClientException where the store belongs to another region or account. */
export async function openDeps(options: OpenOptions, ports: Ports): Promise<ControlDeps> {
  const { settings, realm: wanted = {}, sleep = pause, ...given } = options;
  const { region, accountId, epoch } = await openStore({ ...given, sleep }, wanted);
  return {
    catalogue: given.fleet,
    ...given,
    ...ports,
    sleep,
    realm: { region, accountId },
    storeEpoch: epoch,
    capacity: createCapacityView(given.table, given.clock),
    recent: createRecentReads(given.table, given.clock),
    settings: { ...defaultSettings, ...settings },
  };
}
