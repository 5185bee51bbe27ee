/**
 * The host's machinery as the agent's loops see it: a few verbs, each idempotent and each doing one thing, with a fake that passes
 * the same conformance suite (test/agent/runtime-conformance.ts). The loops decide and keep the ledger; a Runtime never decides.
 * A verb that fails throws RuntimeFailure, and has left either the whole effect or something that `removeTask` takes away.
 */

import type { PullWait } from '../core/host-protocol.ts';
import type { ContainerStats } from '../core/model/container-stats.ts';
import type { LogLine, NetworkBinding } from '../core/model/task.ts';
import type { TaskSpec } from '../core/model/task-spec.ts';
import type { ContainerState, FoundTask } from '../core/plan/found.ts';
import type { AnswerMetadata } from './network/metadata-server.ts';

export type { ContainerExit, ContainerState, FoundContainer, FoundTask } from '../core/plan/found.ts';

/** ECS' names for what can go wrong in a container's life (ecs-semantics.md section 4.3). */
export type FailureKind =
  | 'CannotPullContainerError'
  | 'CannotPullContainerAuthError'
  | 'CannotPullImageManifestError'
  | 'CannotCreateContainerError'
  | 'CannotStartContainerError'
  | 'CannotStopContainerError'
  | 'ContainerNetworkingError'
  | 'ResourceInitializationError';

export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure';
  readonly kind: FailureKind;
  /** True where the same call may succeed later with nothing changed (containerd is restarting). */
  readonly retryable: boolean;
  /** True where the host's machinery does not answer at all, which is no fault of what was asked of it. */
  readonly isAway: boolean;

  constructor(
    kind: FailureKind,
    message: string,
    options: { retryable?: boolean; isAway?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryable = options.retryable ?? false;
    this.isAway = options.isAway ?? false;
  }
}

/** There is no room for an image. With room made, the same call may succeed. */
export class DiskFull extends RuntimeFailure {
  /** What was to be downloaded; unpacked it is more. */
  readonly imageBytes: number;

  constructor(message: string, imageBytes: number, cause: unknown) {
    super('CannotPullContainerError', message, { cause });
    this.imageBytes = imageBytes;
  }
}

export interface PullProgress {
  readonly phase: 'resolving' | 'downloading' | 'unpacking' | 'done';
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** What it waits for now, where that is not its bytes. */
  readonly waitsFor?: PullWait | undefined;
}

export interface PulledImage {
  /** As the task definition names it. */
  readonly reference: string;
  /** `sha256:…` of the manifest for this platform. */
  readonly digest: string;
}

/** An image that a container could be made from without a download. */
export interface HeldImage {
  /** Those under which it was pulled, completed as containerd knows them. */
  readonly names: readonly string[];
  readonly digest: string;
  /** Of config and layers as they were downloaded. */
  readonly sizeBytes: number;
  /** Epoch milliseconds, to the hour. Absent where no task has used it. */
  readonly lastUsedAt?: number | undefined;
  /** Whether it was pulled for tasks and nobody has pinned it, so that it may be removed. */
  readonly isOurs: boolean;
}

export interface DiskUse {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** What keeps the images of a host few enough. */
export interface ImageKeeping {
  /** The disk that images are on. */
  disk(): Promise<DiskUse>;
  /** Tasks use these now, by digest. Fine where one is not there. */
  touch(digests: readonly string[]): Promise<void>;
  /** Lets go of what pulls of earlier agents have left, which died before they had ended. No pull of theirs is taken up from then on. */
  dropDeadPulls(): Promise<void>;
  /** Takes the image away, and what no other needs of it, before it answers. Those that are not ours stay. Fine if there is none. */
  remove(digest: string): Promise<void>;
}

export interface Runtime {
  /** Everything of ours on this host, running or not, a half-made rest (a network without a container) included. */
  inventory(): Promise<FoundTask[]>;

  /**
   * Makes sure the image is on the host (pull, or the cached one where the registry cannot be reached). Progress comes only where
   * something is downloaded. The signal ends it within moments with a RuntimeFailure; what was downloaded may stay for the next try.
   */
  pullImage(
    reference: string,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
    /** Name of what the control plane has for its registry. */
    credentials?: string,
  ): Promise<PulledImage>;

  /** Every image that is on this host, whole. */
  listImages(): Promise<HeldImage[]>;

  readonly images: ImageKeeping;

  /**
   * The task's cgroup with its limits, its addresses and ports, and what its containers need of its network to be created. Answers the
   * bindings by container name; ports are reached once a container is created.
   */
  prepareTask(spec: TaskSpec): Promise<Readonly<Record<string, readonly NetworkBinding[]>>>;

  /**
   * Container record, snapshot, spec, log files and the process that waits to be started. Asked only for a container that was never
   * started, as the ledger knows. Where its process is there (waiting, running or ended), it is left alone and its id is answered;
   * without one (half-made, or lost to a reboot) it is made whole.
   */
  createContainer(spec: TaskSpec, containerName: string, image: PulledImage): Promise<{ runtimeId: string }>;

  /**
   * Lets the created process run. Where it runs already, answers since when; where it has ended or is gone, throws
   * CannotStartContainerError: no call ever runs it a second time. A failure that is not retryable means that it does not run.
   */
  startContainer(taskId: string, containerName: string): Promise<{ startedAt: number }>;

  /**
   * undefined: there is no such container. `created` means that its process waits to be started and has never run; one whose process
   * is gone without a trace is `vanished`, whether it had run or not.
   */
  containerState(taskId: string, containerName: string): Promise<ContainerState | undefined>;

  /** What the container has used until now, read from the kernel at once; undefined where it does not run. */
  containerStats(taskId: string, containerName: string): Promise<ContainerStats | undefined>;

  /** Sends `stop` (the image's STOPSIGNAL, SIGTERM where it names none) or `kill` (SIGKILL). Fine if it is not running. */
  signalContainer(taskId: string, containerName: string, signal: 'stop' | 'kill'): Promise<void>;

  /**
   * Takes away the container (killed, where it still runs) and its snapshot; its log stays until removeLogs and is complete from
   * then on. Only once its exit is in the ledger. Fine if there is none.
   */
  removeContainer(taskId: string, containerName: string): Promise<void>;

  /** What containers that ask the task metadata endpoint are answered. To be called once. */
  answerMetadata(answer: AnswerMetadata): void;

  /**
   * Makes anew what others took away of what carries the traffic of every task (firewall rules). Cheap where nothing is missing. Answers
   * whether something was.
   */
  repairNetwork(): Promise<boolean>;

  /** Takes away everything that is left of the task except its log: containers, network, ports, cgroups. Fine if nothing is. */
  removeTask(taskId: string): Promise<void>;

  /** Takes away the task's log. Fine if there is none. */
  removeLogs(taskId: string): Promise<void>;

  /** Ids of the tasks that have a log on this host, whether anything else is left of them or not, oldest first. */
  tasksWithLogs(): Promise<string[]>;

  /**
   * The task's lines in the order of their times, in batches of bounded size; of `since` (epoch milliseconds) and later, and the last
   * `tail` of them and what follows, where they are given. With `follow` until every container has ended or the signal fires. A task
   * without a log has no lines.
   */
  readLogs(
    taskId: string,
    options: { container?: string; tail?: number; since?: number; follow: boolean; signal: AbortSignal },
  ): AsyncIterable<readonly LogLine[]>;

  /** Called with a task id whenever one of its containers exits (and when events may have been missed, with undefined). */
  onExit(listener: (taskId: string | undefined) => void): Disposable;

  /** Why this host's machinery can do nothing now, in a sentence; undefined where it answers. */
  trouble(): Promise<string | undefined>;

  /** Lets go of connections and files. Containers run on. */
  close(): Promise<void>;
}
