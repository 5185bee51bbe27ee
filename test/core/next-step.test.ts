/** What a task says of itself when things go wrong, in ECS' words: the cases that clients match. */
import { describe, expect, it } from 'vitest';
import type { TaskObservation } from '../../core/model/task.ts';
import type { ContainerSpec } from '../../core/model/task-spec.ts';
import type { ContainerState, ContainerStates } from '../../core/plan/found.ts';
import { applyDesired } from '../../core/plan/host.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';
import { nextStep } from '../../core/plan/next-step.ts';
import { observationOf } from '../../core/plan/observation.ts';
import * as record from '../../core/plan/record.ts';
import type { StepFailure, TaskStep } from '../../core/plan/steps.ts';
import { containerSpec, ledgerTask, taskSpec } from './specs.ts';

const times = { startedAt: 1010, now: 1020 };
const failure = (kind: string, message: string, retryable = false): StepFailure => ({ kind, message, retryable });
const nothing: ContainerStates = new Map();
const seen = (states: Record<string, ContainerState | 'absent'>): ContainerStates => new Map(Object.entries(states));
const exited = (exitCode: number, oomKilled = false, at = 2000): ContainerState => ({
  state: 'exited',
  exit: { exitCode, oomKilled, at },
});

/** The next step that is not only a record, and the entry by then. */
function ask(task: LedgerTask, states = nothing, now = 2000, bootId = 'boot-1'): { step: TaskStep; task: LedgerTask } {
  const step = nextStep(task, { states, now, bootId });
  return step.kind === 'record' ? ask(step.task, states, now, bootId) : { step, task };
}

function pulled(containers: readonly ContainerSpec[]): LedgerTask {
  const images = new Set(containers.map(({ image }) => image));
  return [...images].reduce(
    (task, reference) => record.pulled(task, { reference, digest: 'sha256:1' }, times),
    ledgerTask(taskSpec(containers)),
  );
}

/** All containers started at 1100. */
function running(containers: readonly ContainerSpec[]): LedgerTask {
  return containers.reduce(
    (task, { name }) => record.started(record.created(task, name, `runtime-${name}`), name, 1100),
    record.prepared(pulled(containers), {}, 'boot-1'),
  );
}

const observe = (task: LedgerTask, states = nothing): TaskObservation => observationOf(ask(task, states).task);

describe('starting', () => {
  it('goes from pull to start one step at a time, and pulls an image once', () => {
    const containers = [containerSpec('app'), containerSpec('side', { essential: false })];
    expect(ask(ledgerTask(taskSpec(containers))).step).toEqual({
      kind: 'pull',
      images: ['registry/app:1'],
      mayPrepare: true,
    });
    expect(ask(record.prepared(ledgerTask(taskSpec(containers)), {}, 'boot-1')).step).toMatchObject({
      kind: 'pull',
      mayPrepare: false,
    });
    const task = pulled(containers);
    expect(ask(task).step).toEqual({ kind: 'prepare' });
    const prepared = record.prepared(task, {}, 'boot-1');
    expect(ask(prepared).step).toEqual({
      kind: 'create',
      container: 'app',
      image: { reference: 'registry/app:1', digest: 'sha256:1' },
    });
    const created = record.created(prepared, 'app', 'runtime-app');
    expect(ask(created).step).toEqual({ kind: 'start', container: 'app' });
    expect(ask(record.started(created, 'app', 1100)).step).toMatchObject({ kind: 'create', container: 'side' });
  });

  it('waits before it pulls again, also when the network was made meanwhile', () => {
    const away = failure('CannotPullContainerError', 'the registry is away', true);
    const justNow = { startedAt: 1900, now: 1950 };
    const failed = record.pullFailed(ledgerTask(taskSpec([containerSpec('app')])), 'registry/app:1', away, justNow);
    expect(ask(record.prepared(failed, {}, 'boot-1')).step).toMatchObject({ kind: 'wait' });
  });

  it('is RUNNING in the same entry as its last start, with the times of each phase', () => {
    const observation = observationOf(running([containerSpec('app')]));
    expect(observation).toMatchObject({ status: 'RUNNING', startedAt: 1100, pullStartedAt: 1010, pullStoppedAt: 1020 });
  });

  it('shows network bindings once a container runs', () => {
    const binding = { bindIP: '0.0.0.0', containerPort: 80, hostPort: 49153, protocol: 'tcp' as const };
    const prepared = record.prepared(pulled([containerSpec('app')]), { app: [binding] }, 'boot-1');
    expect(observationOf(prepared).containers[0]?.networkBindings).toEqual([]);
    const started = record.started(record.created(prepared, 'app', 'r'), 'app', 1100);
    expect(observationOf(started).containers[0]?.networkBindings).toEqual([binding]);
  });

  it('an image that cannot be pulled: TaskFailedToStart, with the reason on the container', () => {
    const task = record.pullFailed(
      ledgerTask(taskSpec([containerSpec('app')])),
      'registry/app:1',
      failure('CannotPullContainerError', 'no such image'),
      times,
    );
    const asked = ask(task);
    expect(asked.step).toEqual({ kind: 'remove-task' });
    expect(observationOf(asked.task)).toMatchObject({
      status: 'DEPROVISIONING',
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'Task failed to start',
      containers: [{ status: 'STOPPED', reason: 'CannotPullContainerError: no such image' }],
    });
    expect(observationOf(asked.task).containers[0]).not.toHaveProperty('exitCode');
  });

  it('a network that cannot be made is the reason of the task, not of a container', () => {
    const task = record.failed(
      pulled([containerSpec('app')]),
      { kind: 'prepare' },
      failure('ResourceInitializationError', 'no address left'),
      1500,
    );
    expect(observe(task)).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'ResourceInitializationError: no address left',
    });
    expect(observe(task).containers[0]).not.toHaveProperty('reason');
  });

  it('a non-essential container that cannot start does not keep the others from running', () => {
    const containers = [containerSpec('side', { essential: false, image: 'registry/side:1' }), containerSpec('app')];
    const broken = record.pullFailed(pulled([containers[1] ?? containerSpec('app')]), 'none', failure('X', 'y'), times);
    expect(observationOf(broken).containers[0]).not.toHaveProperty('reason');
    let task = record.pullFailed(
      record.pulled(ledgerTask(taskSpec(containers)), { reference: 'registry/app:1', digest: 'sha256:1' }, times),
      'registry/side:1',
      failure('CannotPullContainerError', 'no such image'),
      times,
    );
    task = record.prepared(task, {}, 'boot-1');
    expect(ask(task).step).toMatchObject({ kind: 'create', container: 'app' });
    task = record.started(record.created(task, 'app', 'r'), 'app', 1100);
    expect(observationOf(task).status).toBe('RUNNING');
    expect(observationOf(task).containers.map(({ status }) => status)).toEqual(['STOPPED', 'RUNNING']);
  });

  it('tries again after a growing pause what may succeed later, then gives up', () => {
    let task = record.created(record.prepared(pulled([containerSpec('app')]), {}, 'boot-1'), 'app', 'r');
    const step: TaskStep = { kind: 'start', container: 'app' };
    const pauses: number[] = [];
    for (let now = 1000; ask(task, nothing, now).step.kind !== 'remove-container'; ) {
      task = record.failed(task, step, failure('CannotStartContainerError', 'containerd restarts', true), now);
      const asked = ask(task, nothing, now).step;
      if (asked.kind !== 'wait' || asked.untilMs === undefined) continue;
      pauses.push(asked.untilMs - now);
      now = asked.untilMs;
      expect(ask(task, nothing, now).step).toEqual(step);
    }
    expect(pauses).toEqual([200, 400, 800, 1600, 3200, 6400]);
    expect(observationOf(task).containers[0]?.reason).toBe('CannotStartContainerError: containerd restarts');
  });

  it('gives a container that needs longer than its startTimeout up, and the task with it', () => {
    const containers = [
      containerSpec('migrate', { essential: false, startTimeoutSeconds: 5 }),
      containerSpec('app', { dependsOn: [{ containerName: 'migrate', condition: 'SUCCESS' }] }),
    ];
    const prepared = record.prepared(pulled(containers), {}, 'boot-1');
    const task = record.started(record.created(prepared, 'migrate', 'r'), 'migrate', 1000);
    expect(ask(task, nothing, 2000).step).toEqual({ kind: 'wait', untilMs: 6000 });
    const late = ask(task, nothing, 6000);
    expect(late.step).toEqual({ kind: 'signal', container: 'migrate', signal: 'stop' });
    expect(observationOf(late.task)).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'Task failed to start',
    });
    expect(observationOf(late.task).containers[1]?.reason).toBe(
      "TaskDependencyError: container 'migrate' did not reach SUCCESS within its startTimeout of 5 s",
    );
  });

  it('a dependency that fails ends the task with the reason on the container that waited', () => {
    const containers = [
      containerSpec('migrate', { essential: false }),
      containerSpec('app', { dependsOn: [{ containerName: 'migrate', condition: 'SUCCESS' }] }),
    ];
    const prepared = record.prepared(pulled(containers), {}, 'boot-1');
    const task = record.started(record.created(prepared, 'migrate', 'r'), 'migrate', 1000);
    const { containers: views } = observe(task, seen({ migrate: exited(3) }));
    expect(views[1]?.reason).toBe("TaskDependencyError: container 'migrate' exited with code 3, not with success");
  });
});

describe('ending', () => {
  it('an essential container that ends, ends the task; a clean exit has its code and no reason', () => {
    const asked = ask(running([containerSpec('app')]), seen({ app: exited(0) }));
    const { containers, ...observation } = observationOf(asked.task);
    expect(observation).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      executionStoppedAt: 2000,
    });
    expect(containers[0]).toMatchObject({ status: 'STOPPED', exitCode: 0, oomKilled: false });
    expect(containers[0]).not.toHaveProperty('reason');
    expect(asked.step).toEqual({ kind: 'remove-container', container: 'app' });
  });

  it('a kill for want of memory says so', () => {
    const [container] = observe(running([containerSpec('app')]), seen({ app: exited(137, true) })).containers;
    expect(container).toMatchObject({ exitCode: 137, oomKilled: true });
    expect(container?.reason).toBe('OutOfMemoryError: Container killed due to memory usage');
  });

  it('a child killed for want of memory does not blame a container that ended well', () => {
    const [container] = observe(running([containerSpec('app')]), seen({ app: exited(0, true) })).containers;
    expect(container).toMatchObject({ exitCode: 0, oomKilled: true });
    expect(container).not.toHaveProperty('reason');
  });

  it('invents no exit code for a container that vanished', () => {
    for (const state of [{ state: 'vanished' }, 'absent', { state: 'created' }] as const) {
      const [container] = observe(running([containerSpec('app')]), seen({ app: state })).containers;
      expect(container?.status).toBe('STOPPED');
      expect(container?.reason).toMatch(/^ContainerVanishedError: /);
      expect(container).not.toHaveProperty('exitCode');
    }
  });

  it('blames the restart of the host for a container that it took, whatever is left of that', () => {
    for (const state of [{ state: 'vanished' }, 'absent', { state: 'created' }] as const) {
      const { task } = ask(running([containerSpec('app')]), seen({ app: state }), 2000, 'boot-2');
      const [container] = observationOf(task).containers;
      expect(container).toMatchObject({ status: 'STOPPED', reason: 'ContainerVanishedError: the host was restarted' });
      expect(container).not.toHaveProperty('exitCode');
    }
  });

  it('concludes nothing from a container that was not looked at', () => {
    expect(ask(running([containerSpec('app')]), nothing).step).toEqual({ kind: 'wait' });
  });

  it('never starts a container again that an earlier boot may have started', () => {
    const created = record.created(record.prepared(pulled([containerSpec('app')]), {}, 'boot-1'), 'app', 'r');
    const asked = ask(created, seen({ app: { state: 'created' } }), 2000, 'boot-2');
    expect(asked.step).toEqual({ kind: 'remove-container', container: 'app' });
    expect(observationOf(asked.task).containers[0]?.reason).toBe('ContainerVanishedError: the host was restarted');
  });

  it('a stop that was asked for carries no code of its own', () => {
    const task = applyDesired(running([containerSpec('app', { stopTimeoutSeconds: 5 })]), {
      status: 'STOPPED',
      version: 2,
      at: 1500,
      stopCode: 'UserInitiated',
      reason: 'enough',
    });
    const asked = ask(task, nothing, 2000);
    expect(asked.step).toEqual({ kind: 'signal', container: 'app', signal: 'stop' });
    expect(observationOf(asked.task)).toMatchObject({ status: 'STOPPING', stoppingAt: 2000 });
    expect(observationOf(asked.task)).not.toHaveProperty('stopCode');
    const signalled = record.signalled(asked.task, 'app', 'stop', 2000);
    expect(ask(signalled, nothing, 2001).step).toEqual({ kind: 'wait', untilMs: 7000 });
    expect(ask(signalled, nothing, 7000).step).toEqual({ kind: 'signal', container: 'app', signal: 'kill' });
  });

  it('keeps the newest twenty lines of a log, and four thousand characters of them', () => {
    const ended = ask(running([containerSpec('app')]), seen({ app: exited(1) })).task;
    const line = (text: string) => ({ at: 1, container: 'app', stream: 'stdout' as const, text });
    const many = Array.from({ length: 30 }, (_, index) => line(`line ${index}`));
    const kept = observationOf(record.containerRemoved(ended, 'app', many)).containers[0]?.lastLogLines;
    expect(kept?.map(({ text }) => text)).toEqual(many.slice(10).map(({ text }) => text));
    const wide = [line('old'), line('x'.repeat(5000)), line('new')];
    const narrow = observationOf(record.containerRemoved(ended, 'app', wide)).containers[0]?.lastLogLines;
    expect(narrow?.map(({ text }) => text.length)).toEqual([4093, 3]);
  });
});
