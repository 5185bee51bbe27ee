/**
 * The host's machinery as the agent's loops see it: a few verbs, each idempotent and each doing one thing, with a fake that passes
 * the same conformance suite (test/agent/runtime-conformance.ts). The loops decide and keep the ledger; a Runtime never decides.
 * A verb that fails throws RuntimeFailure, and has left either the whole effect or something that `removeTask` takes away.
 */

import type { LogLine, NetworkBinding } from '../core/model/task.ts';
import type { TaskSpec } from '../core/model/task-spec.ts';
import type { ContainerState, FoundTask } from '../core/plan/found.ts';

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

  constructor(kind: FailureKind, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryable = options.retryable ?? false;
  }
}

export interface PullProgress {
  readonly phase: 'resolving' | 'downloading' | 'unpacking' | 'done';
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface PulledImage {
  /** As the task definition names it. */
  readonly reference: string;
  /** `sha256:…` of the manifest for this platform. */
  readonly digest: string;
}

export interface Runtime {
  /** Everything of ours on this host, running or not. */
  inventory(): Promise<FoundTask[]>;

  /** Makes sure the image is on the host (pull, or the cached one where the registry cannot be reached). */
  pullImage(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<PulledImage>;

  /** The task's cgroup with its limits, its network and its published ports. Answers the bindings by container name. */
  prepareTask(spec: TaskSpec): Promise<Readonly<Record<string, readonly NetworkBinding[]>>>;

  /** Container record, snapshot, spec and log files; not started. */
  createContainer(spec: TaskSpec, containerName: string, image: PulledImage): Promise<{ runtimeId: string }>;

  startContainer(taskId: string, containerName: string): Promise<{ startedAt: number }>;

  containerState(taskId: string, containerName: string): Promise<ContainerState | undefined>;

  /** Sends `stop` (the image's STOPSIGNAL, SIGTERM where it names none) or `kill` (SIGKILL). Fine if it is not running. */
  signalContainer(taskId: string, containerName: string, signal: 'stop' | 'kill'): Promise<void>;

  /** Takes away the container and its snapshot; its log stays until removeTask. Only once its exit is in the ledger. */
  removeContainer(taskId: string, containerName: string): Promise<void>;

  /** Takes away everything that is left of the task except its log: containers, network, ports, cgroups. */
  removeTask(taskId: string): Promise<void>;

  /** Takes away the task's log. */
  removeLogs(taskId: string): Promise<void>;

  /** The task's lines in order; with `follow` until every container has ended or the signal fires. */
  readLogs(
    taskId: string,
    options: { container?: string; tail?: number; follow: boolean; signal: AbortSignal },
  ): AsyncIterable<readonly LogLine[]>;

  /** Called with a task id whenever one of its containers exits (and when events may have been missed, with undefined). */
  onExit(listener: (taskId: string | undefined) => void): Disposable;

  close(): Promise<void>;
}
