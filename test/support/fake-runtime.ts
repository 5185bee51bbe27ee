/**
 * A host in memory. It outlives the agents that open a Runtime on it, as a machine outlives its agent; it runs a few scripted commands
 * (`fakeCommands`), counts how often each process was really started, and lets a test fail, hold or cut off any call.
 */

import type { AnswerMetadata } from '../../agent/network/metadata-server.ts';
import {
  type DiskUse,
  type HeldImage,
  type PulledImage,
  type PullProgress,
  type Runtime,
  RuntimeFailure,
} from '../../agent/runtime.ts';
import type { LogLine, NetworkBinding } from '../../core/model/task.ts';
import type { PortMapping } from '../../core/model/task-definition.ts';
import type { ContainerSpec, TaskSpec } from '../../core/model/task-spec.ts';
import type { ContainerExit, ContainerState, FoundTask } from '../../core/plan/found.ts';
import { fakeStats } from './fake-stats.ts';

/** What a container of this host can do. */
export const fakeCommands = {
  exits: (code: number): string[] => ['exit', String(code)],
  /** Says `ready`, and runs until it is told to stop; then it ends with 143. */
  runsUntilStopped: ['run'],
  ignoresStop: ['run', 'ignoring-stop'],
  prints: (lines: readonly string[]): string[] => ['print', ...lines],
  exhaustsMemory: ['allocate'],
  cannotStart: ['no-such-program'],
};

export type Verb = Exclude<
  keyof Runtime,
  'onExit' | 'close' | 'trouble' | 'readLogs' | 'listImages' | 'images' | 'containerStats'
>;

export interface RuntimeCall {
  readonly verb: Verb;
  readonly taskId?: string;
  readonly container?: string;
  readonly reference?: string;
}

/** Called around the effect of every call: what it throws is thrown, what it awaits is awaited. */
export type Fault = (call: RuntimeCall, moment: 'before' | 'after') => void | Promise<void>;

interface FakeContainer {
  readonly name: string;
  readonly runtimeId: string;
  readonly imageDigest: string;
  readonly spec: ContainerSpec;
  state: ContainerState;
}

interface FakeTask {
  readonly containers: Map<string, FakeContainer>;
  bindings: Readonly<Record<string, readonly NetworkBinding[]>>;
}

/** An agent's connection to the host. Once it is cut, its calls neither answer nor have an effect, as those of a killed process. */
export interface FakeSession extends Runtime {
  cut(): void;
}

const never = new Promise<never>(() => {});
const taskOf = (key: string): string => key.slice(0, key.indexOf('/'));

export class FakeHost {
  /** What the registry has: digest by reference. */
  readonly registry = new Map<string, string>();
  readonly tasks = new Map<string, FakeTask>();
  readonly logs = new Map<string, LogLine[]>();
  /** How often a process was really started, by `<task id>/<container>`. */
  readonly starts = new Map<string, number>();
  readonly calls: RuntimeCall[] = [];
  fault: Fault = () => {};
  /** What an agent is told that asks whether the machinery answers. */
  trouble: string | undefined;
  /** Steps that a pull reports before it is done. */
  pullSteps: Iterable<PullProgress> = [];
  readonly now: () => number;
  readonly #exitListeners = new Set<(taskId: string | undefined) => void>();
  readonly #held = new Map<string, HeldImage>();
  disk: DiskUse = { totalBytes: 1000, freeBytes: 500 };
  /** What the latest agent answers to containers that ask the task metadata endpoint. */
  metadata: AnswerMetadata | undefined;
  /** How often an agent looked whether its firewall is whole. */
  networkLooks = 0;
  #dynamicPort = 49_153;

  constructor(options: { now?: () => number; images?: readonly string[] } = {}) {
    this.now = options.now ?? Date.now;
    for (const image of options.images ?? ['busybox']) this.registry.set(image, `sha256:${image.padEnd(64, '0')}`);
  }

  open(): FakeSession {
    let isCut = false;
    const listeners = new Set<(taskId: string | undefined) => void>();
    const forward = (taskId: string | undefined) => {
      if (!isCut) for (const listener of listeners) listener(taskId);
    };
    this.#exitListeners.add(forward);
    const act = async <T>(call: RuntimeCall, effect: () => T | Promise<T>): Promise<T> => {
      if (isCut) return await never;
      this.calls.push(call);
      await this.fault(call, 'before');
      if (isCut) return await never;
      const answer = await effect();
      await this.fault(call, 'after');
      return isCut ? await never : answer;
    };
    return {
      cut: () => {
        isCut = true;
        this.#exitListeners.delete(forward);
      },
      inventory: () => act({ verb: 'inventory' }, () => this.#inventory()),
      pullImage: (reference, onProgress, signal) =>
        act({ verb: 'pullImage', reference }, () => this.#pullImage(reference, onProgress, signal)),
      prepareTask: (spec) => act({ verb: 'prepareTask', taskId: spec.taskId }, () => this.#prepareTask(spec)),
      createContainer: (spec, container, image) =>
        act({ verb: 'createContainer', taskId: spec.taskId, container }, () => this.#create(spec, container, image)),
      startContainer: (taskId, container) =>
        act({ verb: 'startContainer', taskId, container }, () => this.#start(taskId, container)),
      containerState: (taskId, container) =>
        act({ verb: 'containerState', taskId, container }, () => this.container(taskId, container)?.state),
      signalContainer: (taskId, container, signal) =>
        act({ verb: 'signalContainer', taskId, container }, () => this.#signal(taskId, container, signal)),
      removeContainer: (taskId, container) =>
        act({ verb: 'removeContainer', taskId, container }, () => {
          this.#kill(taskId, container);
          this.tasks.get(taskId)?.containers.delete(container);
        }),
      removeTask: (taskId) => act({ verb: 'removeTask', taskId }, () => this.#removeTask(taskId)),
      removeLogs: (taskId) => act({ verb: 'removeLogs', taskId }, () => void this.logs.delete(taskId)),
      tasksWithLogs: () => act({ verb: 'tasksWithLogs' }, () => [...this.logs.keys()]),
      answerMetadata: (answer) => {
        this.metadata = answer;
      },
      repairNetwork: async () => {
        this.networkLooks += 1;
        return false;
      },
      listImages: async () => [...this.#held.values()],
      containerStats: async (taskId, name) => {
        const container = this.container(taskId, name);
        if (container?.state.state !== 'running') return undefined;
        return fakeStats(this.now(), container.state.startedAt, container.spec.memoryMib);
      },
      images: {
        disk: async () => this.disk,
        touch: async () => {},
        dropDeadPulls: async () => {},
        remove: async (digest) => void this.#held.delete(digest),
      },
      readLogs: (taskId, options) => this.#readLogs(taskId, options),
      onExit: (listener) => {
        listeners.add(listener);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
      trouble: async () => this.trouble,
      close: async () => {
        this.#exitListeners.delete(forward);
      },
    };
  }

  container(taskId: string, name: string): FakeContainer | undefined {
    return this.tasks.get(taskId)?.containers.get(name);
  }

  startsOf(taskId: string, name: string): number {
    return this.starts.get(`${taskId}/${name}`) ?? 0;
  }

  /** Ends a running container from within. */
  exit(taskId: string, name: string, exit: Partial<ContainerExit> = {}): void {
    const container = this.container(taskId, name);
    if (container?.state.state !== 'running') return;
    container.state = { state: 'exited', exit: { exitCode: 0, oomKilled: false, at: this.now(), ...exit } };
    this.#tell(taskId);
  }

  /** The process is gone and nobody saw it go: a killed shim. */
  vanish(taskId: string, name: string): void {
    const container = this.container(taskId, name);
    if (container === undefined) return;
    container.state = { state: 'vanished' };
    this.#tell(taskId);
  }

  /** The machine was switched off and on: nothing runs, networks are gone, records and logs are there. */
  reboot(): void {
    for (const task of this.tasks.values()) {
      for (const container of task.containers.values()) container.state = { state: 'vanished' };
      task.bindings = {};
    }
  }

  /** Says that exits may have been missed. */
  missExits(): void {
    this.#tell(undefined);
  }

  #tell(taskId: string | undefined): void {
    for (const listener of this.#exitListeners) listener(taskId);
  }

  #inventory(): FoundTask[] {
    return [...this.tasks].map(([taskId, task]) => ({
      taskId,
      networkBindings: task.bindings,
      containers: [...task.containers.values()].map(({ name, runtimeId, imageDigest, state }) => ({
        name,
        runtimeId,
        imageDigest,
        status: state,
      })),
    }));
  }

  async #pullImage(
    reference: string,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<PulledImage> {
    for (const step of this.pullSteps) {
      onProgress(step);
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted)
        throw new RuntimeFailure('CannotPullContainerError', `the pull of ${reference} was cancelled`);
    }
    const digest = this.registry.get(reference);
    if (digest === undefined) {
      throw new RuntimeFailure('CannotPullImageManifestError', `there is no image ${reference}`);
    }
    const names = [...(this.#held.get(digest)?.names ?? []).filter((name) => name !== reference), reference];
    this.#held.set(digest, { names, digest, sizeBytes: reference.length, lastUsedAt: this.now(), isOurs: true });
    return { reference, digest };
  }

  #prepareTask(spec: TaskSpec): Readonly<Record<string, readonly NetworkBinding[]>> {
    const existing = this.tasks.get(spec.taskId);
    if (existing !== undefined && Object.keys(existing.bindings).length > 0) return existing.bindings;
    const entries = spec.containers
      .filter(({ portMappings }) => portMappings.length > 0)
      .map(
        (container) => [container.name, container.portMappings.map((each) => this.#bind(spec.taskId, each))] as const,
      );
    const bindings = Object.fromEntries(entries);
    if (existing === undefined) this.tasks.set(spec.taskId, { containers: new Map(), bindings });
    else existing.bindings = bindings;
    return bindings;
  }

  #bind(taskId: string, { containerPort, hostPort: wanted, protocol }: PortMapping): NetworkBinding {
    const hostPort = wanted === 0 ? this.#dynamicPort++ : wanted;
    for (const [otherId, other] of this.tasks) {
      const isTaken = Object.values(other.bindings)
        .flat()
        .some((binding) => binding.hostPort === hostPort);
      if (otherId !== taskId && isTaken) {
        throw new RuntimeFailure('ContainerNetworkingError', `host port ${hostPort} is held by task ${otherId}`);
      }
    }
    return { bindIP: '0.0.0.0', containerPort, hostPort, protocol };
  }

  #create(spec: TaskSpec, name: string, image: PulledImage): { runtimeId: string } {
    const task = this.tasks.get(spec.taskId);
    const containerSpec = spec.containers.find((container) => container.name === name);
    if (task === undefined || containerSpec === undefined) {
      throw new RuntimeFailure('CannotCreateContainerError', `task ${spec.taskId} was not prepared`);
    }
    const existing = task.containers.get(name);
    if (existing?.state.state === 'vanished') existing.state = { state: 'created' };
    if (existing !== undefined) return { runtimeId: existing.runtimeId };
    const runtimeId = `${spec.taskId}-${name}`;
    const state: ContainerState = { state: 'created' };
    task.containers.set(name, { name, runtimeId, imageDigest: image.digest, spec: containerSpec, state });
    if (!this.logs.has(spec.taskId)) this.logs.set(spec.taskId, []);
    return { runtimeId };
  }

  #start(taskId: string, name: string): { startedAt: number } {
    const container = this.container(taskId, name);
    if (container?.state.state === 'running') return { startedAt: container.state.startedAt };
    if (container?.state.state !== 'created') {
      throw new RuntimeFailure('CannotStartContainerError', `container ${name} cannot be started again`);
    }
    const [program = '', ...args] = container.spec.command ?? fakeCommands.runsUntilStopped;
    if (!['exit', 'run', 'print', 'allocate'].includes(program)) {
      throw new RuntimeFailure('CannotStartContainerError', `exec: "${program}": executable file not found in $PATH`);
    }
    const startedAt = this.now();
    container.state = { state: 'running', startedAt };
    const key = `${taskId}/${name}`;
    this.starts.set(key, (this.starts.get(key) ?? 0) + 1);
    setImmediate(() => this.#runProgram(key, name, program, args));
    return { startedAt };
  }

  #runProgram(key: string, container: string, program: string, args: readonly string[]): void {
    const taskId = taskOf(key);
    if (program === 'exit') this.exit(taskId, container, { exitCode: Number(args[0]) });
    if (program === 'allocate') this.exit(taskId, container, { exitCode: 137, oomKilled: true });
    const lines = program === 'print' ? args : program === 'run' ? ['ready'] : [];
    for (const text of lines) this.logs.get(taskId)?.push({ at: this.now(), container, stream: 'stdout', text });
    if (program === 'print') this.exit(taskId, container);
  }

  #signal(taskId: string, name: string, signal: 'stop' | 'kill'): void {
    const ignores = this.container(taskId, name)?.spec.command?.includes('ignoring-stop') === true;
    if (signal === 'kill') this.#kill(taskId, name);
    else if (!ignores && this.container(taskId, name)?.state.state === 'running') {
      setImmediate(() => this.exit(taskId, name, { exitCode: 143 }));
    }
  }

  #kill(taskId: string, name: string): void {
    this.exit(taskId, name, { exitCode: 137 });
  }

  #removeTask(taskId: string): void {
    for (const name of this.tasks.get(taskId)?.containers.keys() ?? []) this.#kill(taskId, name);
    this.tasks.delete(taskId);
  }

  async *#readLogs(
    taskId: string,
    { container, tail, since = 0, follow, signal }: Parameters<Runtime['readLogs']>[1],
  ): AsyncGenerator<readonly LogLine[]> {
    const isWanted = (line: LogLine) => (container === undefined || line.container === container) && line.at >= since;
    const all = this.logs.get(taskId) ?? [];
    let read = all.length;
    const first = all.filter(isWanted);
    const shown = tail === undefined ? first : first.slice(Math.max(0, first.length - tail));
    if (shown.length > 0) yield shown;
    while (follow && !signal.aborted) {
      const isLast = !this.#isAlive(taskId); // Asked before the last look, so that nothing written before an exit is missed.
      const more = (this.logs.get(taskId) ?? []).slice(read);
      read += more.length;
      if (more.some(isWanted)) yield more.filter(isWanted);
      if (isLast) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #isAlive(taskId: string): boolean {
    const containers = this.tasks.get(taskId)?.containers.values() ?? [];
    return [...containers].some(({ state }) => state.state === 'created' || state.state === 'running');
  }
}
