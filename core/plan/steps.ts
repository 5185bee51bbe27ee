/**
 * What an agent does next: the vocabulary between the pure decisions (host.ts, next-step.ts) and the loops that execute them.
 *
 * One task: the agent calls `nextStep(task, world)`, executes the answer, hands the outcome to the function named below, keeps the
 * LedgerTask that it gets back and calls again. At most one step of a task is in flight, but for the preparation that a `pull` allows
 * beside it; a `pull` is aborted when the task's desired status becomes STOPPED. Executing a step again after a crash is harmless:
 * every verb of Runtime is idempotent.
 */
import type { DesiredTask } from '../host-protocol.ts';
import type { ContainerStates, FoundTask } from './found.ts';
import type { LedgerTask } from './ledger.ts';

/** What the agent knows when it asks for the next step. */
export interface World {
  /**
   * Read after the last step ended. Needed for every container that the ledger says was created, except those which this process
   * itself has created or started and heard no exit of.
   */
  readonly states: ContainerStates;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly bootId: string;
}

export type TaskStep =
  /** Keep this entry and ask again: a fact was learned or a decision made. Nothing is to be done in the world. */
  | { readonly kind: 'record'; readonly task: LedgerTask }
  /**
   * Pull these images (distinct references), at once if you like: `pulled` or `pullFailed` for each. `mayPrepare`: what the step
   * `prepare` does may be done meanwhile, with its own outcome; where it is not, that step follows.
   */
  | { readonly kind: 'pull'; readonly images: readonly string[]; readonly mayPrepare: boolean }
  /** Runtime.prepareTask: `prepared`. */
  | { readonly kind: 'prepare' }
  /** Runtime.createContainer: `created`. */
  | { readonly kind: 'create'; readonly container: string; readonly image: { reference: string; digest: string } }
  /** Runtime.startContainer: `started`. */
  | { readonly kind: 'start'; readonly container: string }
  /** Runtime.signalContainer: `signalled`. */
  | { readonly kind: 'signal'; readonly container: string; readonly signal: 'stop' | 'kill' }
  /** Runtime.removeContainer, then its last log lines are read: `containerRemoved`. */
  | { readonly kind: 'remove-container'; readonly container: string }
  /** Runtime.removeTask: `taskRemoved`. */
  | { readonly kind: 'remove-task' }
  /** Nothing to do before `untilMs` (epoch milliseconds; absent: no timer), an exit, or a newer desired state. */
  | { readonly kind: 'wait'; readonly untilMs?: number }
  /** Stopped and gone from the host: only its report and its being forgotten are left. */
  | { readonly kind: 'none' };

/** A step that failed, as Runtime's RuntimeFailure says it: `failed` (or `pullFailed`). */
export interface StepFailure {
  /** ECS' name of the error, for example `CannotStartContainerError`. */
  readonly kind: string;
  readonly message: string;
  /** True where the same step may succeed later with nothing changed. */
  readonly retryable: boolean;
  /** True where the machinery does not answer at all: the step is tried for as long as that lasts. */
  readonly isAway?: boolean;
}

/** The host: what `planHost` answers, in the order in which it is to be done (removals before additions). */
export type HostStep =
  /** Exists on the host, but is neither in the ledger nor desired: Runtime.removeTask. */
  | { readonly kind: 'remove-stray'; readonly taskId: string }
  /** Gone from the host and from the desired set: drop the ledger's entry (and its log when it is due). */
  | { readonly kind: 'forget'; readonly taskId: string }
  /** A newer desired state, or the end of a task that nobody desires any more: replace the ledger's entry, then advance it. */
  | { readonly kind: 'update'; readonly task: LedgerTask }
  /** New on this host (or its entry was lost, and what was found is adopted): keep this entry, then advance it. */
  | { readonly kind: 'accept'; readonly task: LedgerTask };

export interface HostSituation {
  readonly desired: readonly DesiredTask[];
  readonly ledger: readonly LedgerTask[];
  /** Runtime.inventory(); absent where the host was not looked at (then no stray is removed). */
  readonly found: readonly FoundTask[] | undefined;
  /** False where the store's epoch is unknown to this host: then nothing is removed, stopped or forgotten. */
  readonly epochKnown: boolean;
  readonly now: number;
  readonly bootId: string;
}
