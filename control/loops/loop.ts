/**
 * The form of a loop: a reconciler that looks at the store and brings something nearer to what it should be. An activation carries no
 * data, is safe to repeat, and does the same whether a trigger or the timer asked for it.
 */
import type { ControlDeps } from '../deps.ts';

export type LoopName =
  | 'place-pending'
  | 'expire-waiting'
  | 'buy-capacity'
  | 'drain-hosts'
  | 'finish-requests'
  | 'mark-silent'
  | 'bury-hosts'
  | 'collect-garbage'
  | 'forget-revisions'
  | 'deliver-webhooks'
  | 'audit';

export interface LoopResult {
  /** How many things it changed. */
  readonly changed: number;
  /** When there is something to do again, if sooner than the timer (epoch milliseconds). */
  readonly againAt?: number;
}

interface LoopTraits {
  readonly name: LoopName;
  /** The timer: never shorter than a heartbeat. */
  readonly periodSeconds: (deps: ControlDeps) => number;
  /** Its time is that of others' servers: no other loop may wait for it. */
  readonly waitsForStrangers?: boolean;
}

/** Looks at one cluster at a time. */
export interface ClusterLoop extends LoopTraits {
  readonly scope: 'cluster';
  readonly activate: (deps: ControlDeps, cluster: string) => Promise<LoopResult>;
}

/** Looks at the whole store. */
export interface StoreLoop extends LoopTraits {
  readonly scope: 'store';
  readonly activate: (deps: ControlDeps) => Promise<LoopResult>;
}

export type Loop = ClusterLoop | StoreLoop;
