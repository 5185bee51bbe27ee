/**
 * A host's machinery in memory, with a clock that stands still until it is moved: containers that run for a planned time, die of
 * signals or ignore them, vanish, and are lost in a reboot. It remembers every process it ever started.
 */
import type { ContainerExit, ContainerState, ContainerStates } from '../../core/plan/found.ts';

export interface ContainerPlan {
  /** Until it ends by itself; undefined: never. */
  readonly runsForMs: number | undefined;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** From its stop signal to its end; undefined: it ignores the signal. */
  readonly stopsAfterMs: number | undefined;
}

interface Process {
  readonly startedAt: number;
  endsAt: number | undefined;
  exit: Omit<ContainerExit, 'at'>;
  vanished: boolean;
}

interface MachineContainer {
  process: Process | undefined;
}

export interface MachineEvent {
  readonly at: number;
  readonly kind: 'started' | 'stop' | 'kill' | 'removed';
  readonly container: string;
}

export class Machine {
  now = 1000;
  bootId = 'boot-1';
  readonly events: MachineEvent[] = [];
  readonly #plans: ReadonlyMap<string, ContainerPlan>;
  #preparedIn: string | undefined;
  readonly #containers = new Map<string, MachineContainer>();
  /** Ends of processes, kept also after their containers are removed. */
  readonly exits = new Map<string, ContainerExit>();
  readonly lost = new Set<string>();

  constructor(plans: ReadonlyMap<string, ContainerPlan>) {
    this.#plans = plans;
  }

  get isEmpty(): boolean {
    return this.#containers.size === 0;
  }

  /** Everything that exists, looked at now. */
  states(names: readonly string[]): ContainerStates {
    return new Map(names.map((name) => [name, this.state(name)]));
  }

  state(name: string): ContainerState | 'absent' {
    const container = this.#containers.get(name);
    if (container === undefined) return 'absent';
    const { process } = container;
    if (process === undefined) return { state: 'created' };
    if (process.vanished) return { state: 'vanished' };
    if (process.endsAt === undefined || process.endsAt > this.now)
      return { state: 'running', startedAt: process.startedAt };
    return { state: 'exited', exit: this.#exitOf(name, process, process.endsAt) };
  }

  isRunning(name: string): boolean {
    const state = this.state(name);
    return state !== 'absent' && state.state === 'running';
  }

  /** Its exit can still be read. */
  hasExited(name: string): boolean {
    const state = this.state(name);
    return state !== 'absent' && state.state === 'exited';
  }

  /** When the next process ends, if the clock is moved that far. */
  nextEnd(): number | undefined {
    const ends = [...this.#containers.values()].flatMap(({ process }) =>
      process?.endsAt !== undefined && process.endsAt > this.now && !process.vanished ? [process.endsAt] : [],
    );
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** Cgroup and network. */
  prepare(): void {
    this.#preparedIn = this.bootId;
  }

  create(name: string): void {
    if (this.#preparedIn !== this.bootId) throw new Error(`${name} has no cgroup in ${this.bootId}`);
    if (!this.#containers.has(name)) this.#containers.set(name, { process: undefined });
  }

  start(name: string): number {
    const container = this.#containers.get(name);
    if (container === undefined) throw new Error(`${name} does not exist`);
    if (container.process !== undefined) return container.process.startedAt;
    const plan = this.#planOf(name);
    this.events.push({ at: this.now, kind: 'started', container: name });
    container.process = {
      startedAt: this.now,
      endsAt: plan.runsForMs === undefined ? undefined : this.now + plan.runsForMs,
      exit: { exitCode: plan.exitCode, oomKilled: plan.oomKilled },
      vanished: false,
    };
    return this.now;
  }

  signal(name: string, signal: 'stop' | 'kill'): void {
    const process = this.#containers.get(name)?.process;
    this.events.push({ at: this.now, kind: signal, container: name });
    if (process === undefined || !this.isRunning(name)) return;
    const afterMs = signal === 'kill' ? 0 : this.#planOf(name).stopsAfterMs;
    if (afterMs === undefined) return;
    const endsAt = this.now + afterMs;
    if (process.endsAt !== undefined && process.endsAt <= endsAt) return;
    process.endsAt = endsAt;
    process.exit = { exitCode: signal === 'kill' ? 137 : 143, oomKilled: false };
  }

  removeContainer(name: string): void {
    this.events.push({ at: this.now, kind: 'removed', container: name });
    this.#containers.delete(name);
  }

  removeAll(): void {
    this.#containers.clear();
  }

  /** Its shim is killed: the process is gone, and nobody saw how. */
  vanish(name: string): void {
    const process = this.#containers.get(name)?.process;
    if (process === undefined || !this.isRunning(name)) return;
    process.vanished = true;
    this.lost.add(name);
  }

  /** Records of containers outlive the reboot, as containerd's do; processes do not. */
  reboot(bootId: string): void {
    this.bootId = bootId;
    for (const [name, container] of this.#containers) {
      if (container.process !== undefined) this.lost.add(name);
      container.process = undefined;
    }
  }

  #exitOf(name: string, process: Process, at: number): ContainerExit {
    const exit = { ...process.exit, at };
    this.exits.set(name, exit);
    return exit;
  }

  #planOf(name: string): ContainerPlan {
    const plan = this.#plans.get(name);
    if (plan === undefined) throw new Error(`${name} has no plan`);
    return plan;
  }
}
