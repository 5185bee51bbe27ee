/**
 * The plan of one task, driven against a machine in memory from random specs, with failures, crashes of the agent, vanished
 * processes, reboots and stop requests: whatever happens, the laws hold.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskObservation } from '../../core/model/task.ts';
import { applyDesired } from '../../core/plan/host.ts';
import { type LedgerContainer, type LedgerTask, ledgerTaskSchema } from '../../core/plan/ledger.ts';
import { nextStep } from '../../core/plan/next-step.ts';
import { acknowledge, observationOf, reportOf } from '../../core/plan/observation.ts';
import { dependentsOf } from '../../core/plan/order.ts';
import * as record from '../../core/plan/record.ts';
import type { TaskStep } from '../../core/plan/steps.ts';
import { type ContainerPlan, Machine } from './machine.ts';
import { ledgerTask, specArbitrary } from './specs.ts';

const faults = [
  'crash-before',
  'crash-after',
  'retryable',
  'fatal',
  'fatal-after',
  'vanish',
  'reboot',
  'power-loss',
] as const;
type Fault = 'none' | (typeof faults)[number];

const planArbitrary: fc.Arbitrary<ContainerPlan> = fc.record({
  runsForMs: fc.option(fc.constantFrom(0, 5, 500, 5000), { nil: undefined }),
  exitCode: fc.constantFrom(0, 0, 1),
  oomKilled: fc.constant(false),
  stopsAfterMs: fc.option(fc.constantFrom(0, 100), { nil: undefined }),
});

const runArbitrary = fc.record({
  spec: specArbitrary,
  plans: fc.array(planArbitrary, { minLength: 4, maxLength: 4 }),
  faults: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<Fault>('none') },
      { weight: 3, arbitrary: fc.constantFrom(...faults) },
    ),
    { maxLength: 30 },
  ),
  stopAt: fc.option(fc.constantFrom(1000, 1003, 1100, 8000), { nil: undefined, freq: 1 }),
});
type Run = typeof runArbitrary extends fc.Arbitrary<infer T> ? T : never;

const stepLimit = 2000;

class Simulation {
  readonly machine: Machine;
  readonly observations: TaskObservation[] = [];
  task: LedgerTask;
  readonly #faults: Fault[];
  readonly #stopAt: number | undefined;
  readonly #names: string[];

  constructor(run: Run) {
    this.#names = run.spec.containers.map(({ name }) => name);
    this.machine = new Machine(new Map(this.#names.map((name, index) => [name, run.plans[index] ?? neverEnding])));
    this.task = ledgerTask(run.spec);
    this.#faults = [...run.faults];
    this.#stopAt = run.stopAt;
    this.#keep(this.task);
  }

  /** Until nothing moves any more. */
  run(): void {
    for (let steps = 0; steps < stepLimit; steps += 1) {
      if (this.#stopAt !== undefined && this.machine.now >= this.#stopAt) {
        this.#keep(applyDesired(this.task, { status: 'STOPPED', version: 2, at: this.machine.now }));
      }
      const step = this.#decide();
      if (step.kind === 'none') return;
      if (step.kind === 'wait') {
        const next = [step.untilMs, this.machine.nextEnd(), this.#pendingStop()].filter((at) => at !== undefined);
        if (next.length === 0) return;
        this.machine.now = Math.max(this.machine.now, Math.min(...next));
        continue;
      }
      this.#execute(step);
      this.machine.now += 1;
    }
    throw new Error(`still moving after ${stepLimit} steps`);
  }

  #decide(): TaskStep {
    const { machine } = this;
    return nextStep(this.task, { states: machine.states(this.#names), now: machine.now, bootId: machine.bootId });
  }

  #pendingStop(): number | undefined {
    return this.#stopAt !== undefined && this.#stopAt > this.machine.now ? this.#stopAt : undefined;
  }

  #execute(step: TaskStep): void {
    const fault = this.#faults.shift() ?? 'none';
    switch (fault) {
      case 'crash-before':
        break;
      case 'power-loss':
        this.#act(step);
        this.machine.reboot(`boot-${this.#faults.length + 2}`);
        break;
      case 'reboot':
        this.machine.reboot(`boot-${this.#faults.length + 2}`);
        break;
      case 'retryable':
      case 'fatal':
        this.#fail(step, fault === 'retryable');
        break;
      case 'fatal-after':
        // The verb had its whole effect, and failed all the same.
        this.#act(step);
        this.#fail(step, false);
        break;
      case 'crash-after':
        this.#act(step);
        break;
      case 'vanish':
        this.machine.vanish(this.#names[this.#faults.length % this.#names.length] ?? '');
        this.#keep(this.#act(step));
        break;
      case 'none':
        this.#keep(this.#act(step));
    }
  }

  #fail(step: TaskStep, retryable: boolean): void {
    const { now } = this.machine;
    const failure = { kind: 'CannotStartContainerError', message: 'the machine says no', retryable };
    if (step.kind === 'record') return;
    if (step.kind === 'pull') {
      for (const image of step.images) {
        this.#keep(record.pullFailed(this.task, image, failure, { startedAt: now, now }));
      }
      return;
    }
    this.#keep(record.failed(this.task, step, failure, now));
  }

  #act(step: TaskStep): LedgerTask {
    const { machine, task } = this;
    switch (step.kind) {
      case 'record':
        return step.task;
      case 'pull':
        // What may be done meanwhile sometimes is.
        if (step.mayPrepare && machine.now % 2 === 0) this.#keep(this.#act({ kind: 'prepare' }));
        return step.images.reduce(
          (pulled, reference) =>
            record.pulled(
              pulled,
              { reference, digest: `sha256:${reference}` },
              { startedAt: machine.now, now: machine.now + 1 },
            ),
          this.task,
        );
      case 'prepare':
        machine.prepare();
        return record.prepared(task, {}, machine.bootId);
      case 'create':
        machine.create(step.container);
        return record.created(task, step.container, `runtime-${step.container}`);
      case 'start':
        return record.started(task, step.container, machine.start(step.container));
      case 'signal':
        machine.signal(step.container, step.signal);
        return record.signalled(task, step.container, step.signal, machine.now);
      case 'remove-container':
        expect(machine.isRunning(step.container)).toBe(false);
        if (machine.hasExited(step.container)) expect(endOf(task, step.container)).toBeDefined();
        machine.removeContainer(step.container);
        return record.containerRemoved(task, step.container, []);
      case 'remove-task':
        machine.removeAll();
        return record.taskRemoved(task, machine.now);
      case 'wait':
      case 'none':
        return task;
    }
  }

  #keep(task: LedgerTask): void {
    this.task = task;
    const report = reportOf(task, { full: false });
    if (report === undefined) return;
    this.observations.push(report.observation);
    this.task = acknowledge(task, report.observation.sequence);
  }
}

const endOf = (task: LedgerTask, name: string): LedgerContainer['end'] =>
  task.containers.find((container) => container.name === name)?.end;

const neverEnding: ContainerPlan = { runsForMs: undefined, exitCode: 0, oomKilled: false, stopsAfterMs: 0 };

function simulate(run: Run): Simulation {
  const simulation = new Simulation(run);
  simulation.run();
  return simulation;
}

const holds = (law: (simulation: Simulation, run: Run) => void): void =>
  fc.assert(
    fc.property(runArbitrary, (run) => law(simulate(run), run)),
    { numRuns: 400 },
  );

const ranks = ['PENDING', 'RUNNING', 'STOPPING', 'DEPROVISIONING', 'STOPPED'];

describe('a task, whatever happens to it', () => {
  it('comes to rest: STOPPED and gone, or with all of its containers steady', () => {
    holds(({ task, machine }, run) => {
      const { status } = observationOf(task);
      if (run.stopAt !== undefined || run.spec.timeoutSeconds !== undefined) expect(status).toBe('STOPPED');
      if (status === 'STOPPED') expect(machine.isEmpty).toBe(true);
      else {
        // Waiting for ever is right only while an essential container runs, or something is waited for that does.
        expect(['PENDING', 'RUNNING']).toContain(status);
        expect(run.spec.containers.some(({ name }) => machine.isRunning(name))).toBe(true);
        expect(run.spec.containers.some(({ name, essential }) => essential && endOf(task, name) !== undefined)).toBe(
          false,
        );
      }
    });
  });

  it('never runs a container twice', () => {
    holds(({ machine }) => {
      const started = machine.events.filter(({ kind }) => kind === 'started').map(({ container }) => container);
      expect(new Set(started).size).toBe(started.length);
    });
  });

  it('starts each container after what it depends on', () => {
    holds(({ machine, task }, run) => {
      const startedAt = new Map(
        machine.events.filter(({ kind }) => kind === 'started').map(({ container, at }) => [container, at]),
      );
      for (const { name, dependsOn } of run.spec.containers) {
        const at = startedAt.get(name);
        if (at === undefined) continue;
        for (const { containerName, condition } of dependsOn) {
          const dependency = task.containers.find((container) => container.name === containerName);
          const failedToStart = dependency?.startedAt === undefined && dependency?.failure !== undefined;
          if (condition === 'START') {
            if (!failedToStart) expect(startedAt.get(containerName) ?? Number.POSITIVE_INFINITY).toBeLessThan(at);
            continue;
          }
          const exit = machine.exits.get(containerName);
          expect(exit?.at ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(at);
          if (condition === 'SUCCESS') expect(exit?.exitCode).toBe(0);
        }
      }
    });
  });

  it('is stopped in the reverse order, and killed only after its time to stop', () => {
    const lastEnd = (simulation: Simulation, name: string): number => {
      const { task, machine } = simulation;
      return machine.exits.get(name)?.at ?? endOf(task, name)?.at ?? 0;
    };
    holds((simulation, run) => {
      const { events } = simulation.machine;
      for (const { kind, container, at } of events) {
        if (kind !== 'stop' && kind !== 'kill') continue;
        for (const dependent of dependentsOf(run.spec, container)) {
          expect(lastEnd(simulation, dependent)).toBeLessThanOrEqual(at);
        }
        if (kind === 'stop') continue;
        const stops = events.filter((event) => event.kind === 'stop' && event.container === container);
        const spec = run.spec.containers.find(({ name }) => name === container);
        expect(at - (stops[0]?.at ?? at)).toBeGreaterThanOrEqual((spec?.stopTimeoutSeconds ?? 0) * 1000);
      }
    });
  });

  it('is RUNNING only once each of its containers runs, or has done all that it will do', () => {
    holds(({ observations }) => {
      for (const { status, containers } of observations) {
        if (status === 'RUNNING') expect(containers.map((container) => container.status)).not.toContain('PENDING');
      }
    });
  });

  it('is observed moving forward only, one sequence at a time', () => {
    holds(({ observations, task }) => {
      expect(observations.at(-1)).toEqual(observationOf(task));
      for (const [index, observation] of observations.entries()) {
        const before = observations[index - 1];
        if (before === undefined) continue;
        expect(observation.sequence).toBeGreaterThan(before.sequence);
        expect(ranks.indexOf(observation.status)).toBeGreaterThanOrEqual(ranks.indexOf(before.status));
        for (const [place, container] of observation.containers.entries()) {
          const earlier = before.containers[place];
          if (earlier?.status === 'STOPPED') expect(container.status).toBe('STOPPED');
          if (earlier?.exitCode !== undefined) expect(container.exitCode).toBe(earlier.exitCode);
        }
      }
    });
  });

  it('tells the truth about exits: every code that was seen, none that was not, and no reason on a clean exit', () => {
    holds(({ task, machine }) => {
      const { status, containers } = observationOf(task);
      if (status !== 'STOPPED') return;
      for (const container of containers) {
        expect(container.status).toBe('STOPPED');
        const exitCode = machine.exits.get(container.name)?.exitCode;
        // A reboot takes away an exit that was not yet in the ledger.
        if (!machine.lost.has(container.name)) expect(container.exitCode).toBe(exitCode);
        else if (container.exitCode !== undefined) expect(container.exitCode).toBe(exitCode);
        else expect(container.reason).toMatch(/^(ContainerVanishedError|CannotStartContainerError): /);
        const startFailed = container.reason?.startsWith('CannotStartContainerError') === true;
        if (container.exitCode !== undefined && !startFailed) expect(container.reason).toBeUndefined();
      }
    });
  });

  it('names a cause whenever nobody asked for its end', () => {
    holds(({ task }) => {
      const { status, stopCode, stoppedReason } = observationOf(task);
      if (status === 'STOPPED' && task.desired.status === 'RUNNING') {
        expect(stopCode).toBeDefined();
        expect(stoppedReason).toBeDefined();
      }
    });
  });

  it('survives being written to disk and read back', () => {
    holds(({ task }) => {
      expect(ledgerTaskSchema.parse(JSON.parse(JSON.stringify(task)))).toEqual(task);
    });
  });
});
