/**
 * The process of a container in containerd (which calls it a task): created, started, signalled, looked at and deleted. Knows ids
 * only. The exit code of a process lives in its shim until the process is deleted; nothing here deletes it unasked.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { NamespacedContainerd } from './client.ts';
import { type Process, Status } from './gen/task_pb.ts';
import type { Mount } from './gen/types_pb.ts';
import { isAlreadyExists, isGrpcError, isNotFound } from './grpc-error.ts';

/** runc and its shim answer within a second; a machine that swaps may need longer. */
const callTimeoutMs = 120_000;
/** After its shim was killed containerd needs a moment to notice and clean up. */
const cleanUpTimeoutMs = 20_000;
const SIGKILL = 9;

export type ProcessState =
  | { readonly state: 'created' | 'running' }
  | { readonly state: 'exited'; readonly exitCode: number; readonly at: number };

/**
 * Answers its pid on this machine. Where an agent was killed in the middle of the same call, containerd undoes that one for a while
 * without showing it anywhere: only then is there something in the way, and it is waited for.
 */
export async function createProcess(
  containerd: NamespacedContainerd,
  options: { readonly id: string; readonly rootfs: readonly Mount[]; readonly stdout: string; readonly stderr: string },
): Promise<number> {
  const { id: containerId, rootfs, stdout, stderr } = options;
  const request = { containerId, rootfs: [...rootfs], stdout, stderr };
  const deadline = Date.now() + cleanUpTimeoutMs;
  for (;;) {
    try {
      return (await containerd.tasks.create(request, { timeoutMs: callTimeoutMs })).pid;
    } catch (error) {
      if (!isInTheWay(error) || Date.now() > deadline) throw error;
      await deleteProcess(containerd, containerId); // It may also have come about after all.
      await delay(20);
    }
  }
}

/** The directory of the earlier attempt's shim, ours taken for it and removed, or runc's of the earlier container. */
const isInTheWay = (error: unknown): boolean =>
  isAlreadyExists(error) ||
  (isGrpcError(error, 'UNKNOWN') &&
    /failed to start shim: (mkdir .*: file exists|start failed: .*: no such file)|ID already exists/.test(
      error.details,
    ));

export async function startProcess({ tasks }: NamespacedContainerd, containerId: string): Promise<void> {
  await tasks.start({ containerId }, { timeoutMs: callTimeoutMs });
}

/** Undefined where there is none, or where its shim is gone and nobody knows how it ended. */
export async function processState(
  { tasks }: NamespacedContainerd,
  containerId: string,
): Promise<ProcessState | undefined> {
  try {
    const { process } = await tasks.get({ containerId }, { timeoutMs: callTimeoutMs });
    return process === undefined ? undefined : stateOf(process);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The state of every process, by container id. */
export async function allProcessStates({ tasks }: NamespacedContainerd): Promise<Map<string, ProcessState>> {
  const { tasks: processes } = await tasks.list({}, { timeoutMs: callTimeoutMs });
  return new Map(
    processes.flatMap((process) => {
      const state = stateOf(process);
      return state === undefined ? [] : [[process.id, state] as const];
    }),
  );
}

function stateOf({ status, exitStatus, exitedAt }: Process): ProcessState | undefined {
  switch (status) {
    case Status.CREATED:
      return { state: 'created' };
    case Status.RUNNING:
    case Status.PAUSED:
    case Status.PAUSING:
      return { state: 'running' };
    case Status.STOPPED:
      return { state: 'exited', exitCode: exitStatus, at: exitedAt === undefined ? 0 : timestampMs(exitedAt) };
    case Status.UNKNOWN:
      return undefined; // The shim does not answer any more.
  }
}

/** Fine where it does not run. */
export async function signalProcess(
  { tasks }: NamespacedContainerd,
  containerId: string,
  signal: number,
): Promise<void> {
  try {
    await tasks.kill({ containerId, signal }, { timeoutMs: callTimeoutMs });
  } catch (error) {
    // NOT_FOUND also stands for a process that has ended and was not deleted yet.
    if (!isNotFound(error)) throw error;
  }
}

/** Kills it where it runs, and returns when nothing is left of it; its output is complete then. Fine where there is none. */
export async function deleteProcess(containerd: NamespacedContainerd, containerId: string): Promise<void> {
  const deadline = Date.now() + cleanUpTimeoutMs;
  for (;;) {
    try {
      const process = await processState(containerd, containerId);
      // Also one that waits to be started: runc needs two seconds to delete it alive.
      if (process !== undefined && process.state !== 'exited') await killAndWait(containerd, containerId);
      await containerd.tasks.delete({ containerId }, { timeoutMs: callTimeoutMs });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      // Its shim was killed: soon there is nothing to delete.
      if (!isGrpcError(error, 'UNKNOWN', 'FAILED_PRECONDITION') || Date.now() > deadline) throw error;
      await delay(20);
    }
  }
}

async function killAndWait(containerd: NamespacedContainerd, containerId: string): Promise<void> {
  await signalProcess(containerd, containerId, SIGKILL);
  await containerd.tasks.wait({ containerId }, { timeoutMs: cleanUpTimeoutMs });
}
