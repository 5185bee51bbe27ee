/**
 * What the control plane needs of the world, given once by whoever starts it (the one-machine server, a Lambda entry, a test).
 * Nothing in control reads the clock, randomness or the environment otherwise.
 */
import type { Realm } from '../core/arn.ts';
import type { ProgressFrame, RegisterResponse } from '../core/host-protocol.ts';
import type { LogLine } from '../core/model/task.ts';
import type { CapacityView } from './capacity-view.ts';
import type { Catalogue, Fleet } from './fleet/fleet.ts';
import type { CallerIdentity } from './hosts/caller-identity.ts';
import type { SecretBox } from './keys/secret-box.ts';
import type { LoopName } from './loops/loop.ts';
import type { RecentReads } from './recent-reads.ts';
import type { Table } from './store/table.ts';
import type { WebhookAddresses } from './webhooks/addresses.ts';

export interface Clock {
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** What happened and what it is about, as one structured line. pino has this form; other loggers are adapted to it. */
export interface Log {
  debug(about: object, message: string): void;
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}

/** Each is worth an alarm or a line of a dashboard; docs/operating.md says which. */
export type MetricName =
  /** Tasks of a cluster that wait for a host. */
  | 'TasksPending'
  /** From a task's creation until a host was chosen for it: the slowest of each commit. */
  | 'PlacementLatencyMs'
  /** Tasks that were refused because they fit nowhere and may not wait. */
  | 'PlacementRejected'
  /** Tasks that waited for a host until their deadline. */
  | 'PlacementTimedOut'
  /** Placements that were planned again because others were quicker. */
  | 'CommitConflicts'
  /** Hosts that fell silent. */
  | 'HostSilent'
  /** Hosts whose reservations are not what their tasks amount to: a defect. */
  | 'HostDrift'
  /** Hosts that were ordered for tasks that wait. */
  | 'HostsOrdered'
  /** Why some or all of an order was not launched, in one word each. */
  | 'LaunchFaults'
  /** Bought hosts that went because they were not needed any more. */
  | 'HostsEnded'
  /** Instances that were launched and did not become hosts in time. */
  | 'HostsNotJoined'
  /** Instances that nobody had bought, or not any more. */
  | 'OrphansEnded'
  /** Activations of loops that failed. */
  | 'LoopFailed';

/** Few values each: never an id. */
export interface MetricDimensions {
  readonly cluster?: string;
  /** Why a task was refused, in ECS' words, or an order, in the fleet's. */
  readonly reason?: string;
  readonly loop?: LoopName;
}

/** Counts for whoever watches the control plane; the control plane itself never reads them. */
export interface Metrics {
  count(name: MetricName, value: number, dimensions?: MetricDimensions): void;
}

/** Tells hosts to fetch. Carries no truth and may fail silently: the agent also fetches on a timer. */
export interface Wake {
  hosts(hostIds: Iterable<string>): Promise<void>;
}

/** Says that something about a task changed, within this process only: what long polls and watches wait on. */
export interface TaskFeed {
  changed(taskId: string): void;
  progress(frame: ProgressFrame): void;
  /** Calls back on each change and each progress frame until disposed. */
  subscribe(taskId: string, listener: (progress?: ProgressFrame) => void): Disposable;
  /** The last progress frame of each container that is still pulling. */
  latestProgress(taskId: string): readonly ProgressFrame[];
}

/** Reads log lines from a host through its channel. */
export interface LogSource {
  open(
    hostId: string,
    request: { taskId: string; container?: string; follow: boolean; tail?: number; signal: AbortSignal },
  ): AsyncIterable<readonly LogLine[]>;
}

/** Where events are written down, and by which ids. */
export interface Journal {
  /** False where nobody tells of changes: a store of many processes whose stream is not read. */
  readonly isKept: boolean;
  /** Events that are younger may still come between others: several processes write, and the index is late. */
  readonly settleMs: number;
  /** Ids in the order in which they are asked for. */
  readonly nextId: () => string;
}

/**
 * Asks a loop to look soon, at one cluster or, where none is given, at everything. Carries no data and may be lost: each loop also
 * runs on a timer. In one process this is the runner; with Lambdas the store's stream does it.
 */
export type Activate = (loop: LoopName, cluster?: string) => void;

export interface Settings {
  /** A waiting task gives up after this (default 600 s: the stock waiters give up then). */
  readonly placementTimeoutSeconds: number;
  /** STOPPED tasks stay describable for this long (default 7 days). */
  readonly retentionSeconds: number;
  /** The audit log keeps calls for this long (default 90 days); 0: there is none. */
  readonly auditSeconds: number;
  /** How often an agent sends a heartbeat. */
  readonly heartbeatSeconds: number;
  /** How much later than its timer a loop may run without that being a gap: a schedule is not to the second. */
  readonly timerJitterSeconds: number;
  /** Where webhooks may be sent to (default: `public`). */
  readonly webhookAddresses: WebhookAddresses;
  /** Where hosts dial, if not below the address that they know. */
  readonly sockets?: RegisterResponse['sockets'];
}

export interface ControlDeps {
  readonly table: Table;
  readonly realm: Realm;
  readonly storeEpoch: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Waits; less where the signal ends it, which is no error. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** 32 lower-case hexadecimal digits that nobody can guess. */
  readonly newId: () => string;
  readonly wake: Wake;
  readonly feed: TaskFeed;
  readonly logs: LogSource;
  readonly activate: Activate;
  readonly journal: Journal;
  readonly capacity: CapacityView;
  readonly recent: RecentReads;
  readonly settings: Settings;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Absent where nothing can be bought: then hosts come and go by themselves. */
  readonly fleet?: Fleet | undefined;
  /** What may be bought, for plans that are only shown; absent where nobody here knows. The fleet itself where there is one. */
  readonly catalogue?: Catalogue | undefined;
  /** Absent where hosts are admitted by join token only. */
  readonly callerIdentity?: CallerIdentity | undefined;
  /** Absent where the secrets of access keys are stored as they are (see keys/secret-box.ts). */
  readonly secretBox?: SecretBox | undefined;
  /** Instead of it, where few secrets are opened: asked when the first one is. */
  readonly laterSecretBox?: (() => Promise<SecretBox>) | undefined;
  /** Fires when the process is about to end: who waits for others' servers gives up. */
  readonly ending?: AbortSignal | undefined;
}
