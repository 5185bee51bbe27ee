/**
 * The process of a container in containerd (which calls it a task): created, started, signalled, looked at and deleted. Knows ids
 * only. The exit code of a process lives in its shim until the process is deleted; nothing here deletes it unasked.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { NamespacedContainerd } from './client.ts';
import { type Process, Status } from './gen/task_pb.ts';
import type { Mount } from './gen/types_pb.ts';
import { GrpcCode, GrpcError, isGrpcError, isNotFound } from './grpc-error.ts';

/** runc and its shim answer within a second; a machine that swaps may need longer. */
const callTimeoutMs = 120_000;
/** After its shim was killed containerd needs a moment to notice and clean up. */
const cleanUpTimeoutMs = 20_000;
const SIGKILL = 9;

export type ProcessState =
  | { readonly state: 'created' | 'running' }
  | { readonly state: 'exited'; readonly exitCode: number; readonly at: number };

/** Answers its pid on this machine. */
export async function createProcess(
  containerd: NamespacedContainerd,
  options: { readonly id: string; readonly rootfs: readonly Mount[]; readonly stdout: string; readonly stderr: string },
): Promise<number> {
  const { id: containerId, rootfs, stdout, stderr } = options;
  const request = { containerId, rootfs: [...rootfs], stdout, stderr };
  return (await containerd.tasks.create(request, { timeoutMs: callTimeoutMs })).pid;
}

export async function startProcess({ tasks }: NamespacedContainerd, containerId: string): Promise<void> {
  await tasks.start({ containerId }, { timeoutMs: callTimeoutMs });
}

/**
 * Undefined where there is none, or where its shim is gone and nobody knows how it ended. Throws where its shim is there and does not
 * answer: it is busy, or stopped, and what it holds may well be running.
 */
export async function processState(
  { tasks }: NamespacedContainerd,
  containerId: string,
): Promise<ProcessState | undefined> {
  try {
    const { process } = await tasks.get({ containerId }, { timeoutMs: callTimeoutMs });
    if (process?.status === Status.UNKNOWN)
      throw new GrpcError('Tasks.Get', GrpcCode.UNAVAILABLE, 'the shim of the container is not heard of');
    return process === undefined ? undefined : stateOf(process);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Its pid on this machine; undefined where it does not run. */
export async function runningPid({ tasks }: NamespacedContainerd, containerId: string): Promise<number | undefined> {
  try {
    const { process } = await tasks.get({ containerId }, { timeoutMs: callTimeoutMs });
    return process !== undefined && stateOf(process)?.state === 'running' ? process.pid : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The state of every process that is known, by container id. */
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
      return undefined; // Its shim is not heard of now.
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

/** Stops it where it is, all of its processes. Fine where it does not run. */
export async function pauseProcess({ tasks }: NamespacedContainerd, containerId: string): Promise<void> {
  await whereItRuns(tasks.pause({ containerId }, { timeoutMs: callTimeoutMs }));
}

/** Fine where it was not stopped. */
export async function resumeProcess({ tasks }: NamespacedContainerd, containerId: string): Promise<void> {
  await whereItRuns(tasks.resume({ containerId }, { timeoutMs: callTimeoutMs }));
}

async function whereItRuns(change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    // The shim's word for one that is not in the state that would be changed is an unknown error.
    if (!isNotFound(error) && !isGrpcError(error, 'FAILED_PRECONDITION', 'UNKNOWN')) throw error;
  }
}

/**
 * Kills it where it runs, and returns when nothing is left of it; its output is complete then. Answers whether it was there to the end:
 * false where there was none, or its shim was killed meanwhile.
 */
export async function deleteProcess(containerd: NamespacedContainerd, containerId: string): Promise<boolean> {
  const deadline = Date.now() + cleanUpTimeoutMs;
  for (;;) {
    try {
      const process = await processState(containerd, containerId);
      // Also one that waits to be started: runc needs two seconds to delete it alive.
      if (process !== undefined && process.state !== 'exited') await killAndWait(containerd, containerId);
      await containerd.tasks.delete({ containerId }, { timeoutMs: callTimeoutMs });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
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
