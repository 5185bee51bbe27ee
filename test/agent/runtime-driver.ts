/** Drives a Runtime as the agent's loops do, for tests: prepares tasks, runs containers, waits for what they say and how they end. */
import { randomBytes } from 'node:crypto';
import {
  type ContainerState,
  type FoundTask,
  type PulledImage,
  type Runtime,
  RuntimeFailure,
} from '../../agent/runtime.ts';
import type { LogLine } from '../../core/model/task.ts';
import type { ContainerSpec, TaskSpec } from '../../core/model/task-spec.ts';
import { containerSpec, taskSpec } from './oci/task-spec.ts';

type Bindings = Awaited<ReturnType<Runtime['prepareTask']>>;

/** What a test is about, beside the commands: of the task, and of each of its containers. */
export interface SpecOverrides {
  readonly task?: Partial<TaskSpec>;
  readonly container?: Partial<ContainerSpec>;
}

/** A runtime, and an image that its containers are made of where a test names no other. */
export interface Driven {
  readonly runtime: Runtime;
  readonly image: string;
}

export const noProgress = () => {};
export const unending = () => new AbortController().signal;
export const newTaskId = () => randomBytes(16).toString('hex');

/** Resolves when the runtime says that something of this task exited and `look` then finds what is waited for. */
async function afterExit<T>(runtime: Runtime, taskId: string, look: () => Promise<T | undefined>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const check = () => {
    look().then((found) => {
      if (found !== undefined) resolve(found);
    }, reject);
  };
  using _exits = runtime.onExit((exited) => {
    if (exited === undefined || exited === taskId) check();
  });
  check(); // It may have exited before.
  return await promise;
}

type Exited = Extract<ContainerState, { state: 'exited' }>;

export const exitOf = async (runtime: Runtime, taskId: string, container = 'main'): Promise<Exited> =>
  (await firstExitOf(runtime, taskId, [container])).state;

/** The container that is found to have exited first. */
export const firstExitOf = (
  runtime: Runtime,
  taskId: string,
  containers: readonly string[],
): Promise<{ readonly container: string; readonly state: Exited }> =>
  afterExit(runtime, taskId, async () => {
    for (const container of containers) {
      const state = await runtime.containerState(taskId, container);
      if (state?.state === 'exited') return { container, state };
    }
    return undefined;
  });

export async function linesOf(
  runtime: Runtime,
  taskId: string,
  options: { container?: string; tail?: number; follow?: boolean; signal?: AbortSignal } = {},
): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const read = runtime.readLogs(taskId, { follow: false, signal: unending(), ...options });
  for await (const batch of read) lines.push(...batch);
  return lines;
}

/** Resolves once the container says that it is ready for signals. */
export async function isReady(runtime: Runtime, taskId: string, container = 'main'): Promise<void> {
  const enough = new AbortController();
  for await (const batch of runtime.readLogs(taskId, { container, follow: true, signal: enough.signal })) {
    if (batch.some(({ text }) => text === 'ready')) break;
  }
  enough.abort();
}

export const found = (tasks: readonly FoundTask[], taskId: string): FoundTask | undefined =>
  tasks.find((task) => task.taskId === taskId);

/** A task of containers with these commands, prepared on the host. */
export async function prepare(
  { runtime, image }: Driven,
  commands: Readonly<Record<string, string[]>>,
  overrides: SpecOverrides = {},
): Promise<{ spec: TaskSpec; taskId: string; image: PulledImage; bindings: Bindings }> {
  const containers = Object.entries(commands).map(([name, command]) =>
    containerSpec({ name, image, entryPoint: [], command, ...overrides.container }),
  );
  const taskId = newTaskId();
  const spec = taskSpec({ taskId, networkMode: 'none', containers, ...overrides.task });
  const pulled = await runtime.pullImage(image, noProgress, unending());
  const bindings = await runtime.prepareTask(spec);
  return { spec, taskId, image: pulled, bindings };
}

/** The same with every container started. */
export async function run(
  host: Driven,
  commands: Readonly<Record<string, string[]>>,
  overrides: SpecOverrides = {},
): Promise<string> {
  return (await runTask(host, commands, overrides)).taskId;
}

export async function runTask(
  host: Driven,
  commands: Readonly<Record<string, string[]>>,
  overrides: SpecOverrides = {},
): Promise<{ taskId: string; bindings: Bindings }> {
  const { spec, taskId, image, bindings } = await prepare(host, commands, overrides);
  for (const { name } of spec.containers) {
    await host.runtime.createContainer(spec, name, image);
    await host.runtime.startContainer(taskId, name);
  }
  return { taskId, bindings };
}

export async function failureOf(action: Promise<unknown>): Promise<RuntimeFailure> {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RuntimeFailure) return error;
  throw new Error('it did not fail with a RuntimeFailure', { cause: error });
}
