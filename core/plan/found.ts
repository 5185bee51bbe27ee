/**
 * What a host's machinery says exists: the facts that plans and steps are decided on. Only types; the agent's Runtime
 * (agent/runtime.ts) answers in them.
 */
import type { NetworkBinding } from '../model/task.ts';

export interface ContainerExit {
  /** 128 + n when a signal n ended it. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Epoch milliseconds. */
  readonly at: number;
}

export type ContainerState =
  | { readonly state: 'created' }
  | { readonly state: 'running'; readonly startedAt: number }
  | { readonly state: 'exited'; readonly exit: ContainerExit }
  /** Known, but the process is gone without a trace of its exit (a killed shim): no exit code may be invented. */
  | { readonly state: 'vanished' };

export interface FoundContainer {
  readonly name: string;
  readonly runtimeId: string;
  readonly imageDigest: string;
  readonly status: ContainerState;
}

/** What exists of a task on this host, whole or half-made, found by labels and names, not from memory. */
export interface FoundTask {
  readonly taskId: string;
  readonly containers: readonly FoundContainer[];
  readonly networkBindings: Readonly<Record<string, readonly NetworkBinding[]>>;
}

/**
 * By container name. `absent`: it was looked for and is not there. A name without an entry was not looked at, and nothing is
 * concluded from that.
 */
export type ContainerStates = ReadonlyMap<string, ContainerState | 'absent'>;
