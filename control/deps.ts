/**
 * What the control plane needs of the world, given once by whoever starts it (the one-machine server, a Lambda entry, a test).
 * Nothing in control reads the clock, randomness or the environment otherwise.
 */
import type { Realm } from '../core/arn.ts';
import type { ProgressFrame, RegisterResponse } from '../core/host-protocol.ts';
import type { HostContainerStats } from '../core/model/container-stats.ts';
import type { HostImage } from '../core/model/host-image.ts';
import type { LogLine } from '../core/model/task.ts';
import type { CapacityView } from './capacity-view.ts';
import type { Catalogue, Fleet } from './fleet/fleet.ts';
import type { CallerIdentity } from './hosts/caller-identity.ts';
import type { SecretBox } from './keys/secret-box.ts';
import type { LoopName } from './loops/loop.ts';
import type { MetricName } from './metrics/table.ts';
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

/** Where what the control plane does becomes part of somebody's trace. */
export interface Tracing {
  /** Runs it as a part of the call that it is run for. */
  within<T>(name: string, about: Readonly<Record<string, string | number>>, run: () => Promise<T>): Promise<T>;
  /** Names the call that runs, to be handed on (W3C Trace Context). */
  traceparent(): string | undefined;
  /** What a host has done for such a call, when it is heard of (epoch milliseconds). */
  happened(
    name: string,
    what: {
      readonly traceparent: string;
      readonly from: number;
      readonly to: number;
      readonly about: Readonly<Record<string, string | number>>;
    },
  ): void;
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
    request: {
      taskId: string;
      container?: string;
      follow: boolean;
      tail?: number;
      /** Epoch milliseconds. */
      since?: number;
      signal: AbortSignal;
    },
  ): AsyncIterable<readonly LogLine[]>;
}

/** Asks a host through its channel which images it has. */
export interface HostImageSource {
  images(hostId: string, signal: AbortSignal): Promise<readonly HostImage[]>;
}

/** Asks a host through its channel what its containers have used until now. */
export interface HostStatsSource {
  stats(hostId: string, signal: AbortSignal): Promise<readonly HostContainerStats[]>;
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
  /** Of the authority that this control plane made for TLS: join tokens carry it. Absent where hosts trust its certificate anyway. */
  readonly certificatePin?: string;
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
  readonly hostImages: HostImageSource;
  readonly hostStats: HostStatsSource;
  readonly activate: Activate;
  readonly journal: Journal;
  readonly capacity: CapacityView;
  readonly recent: RecentReads;
  readonly settings: Settings;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Absent where nobody traces. */
  readonly tracing?: Tracing | undefined;
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
