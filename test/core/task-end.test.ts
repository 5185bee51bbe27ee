/** Ends that a task did not choose: its timeout, and a stop by force. */
import { describe, expect, it } from 'vitest';
import type { Desired } from '../../core/model/task.ts';
import type { ContainerSpec, TaskSpec } from '../../core/model/task-spec.ts';
import { applyDesired } from '../../core/plan/host.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';
import { nextStep } from '../../core/plan/next-step.ts';
import { observationOf } from '../../core/plan/observation.ts';
import * as record from '../../core/plan/record.ts';
import type { TaskStep } from '../../core/plan/steps.ts';
import { containerSpec, ledgerTask, taskSpec } from './specs.ts';

const [app, side] = [containerSpec('app'), containerSpec('side', { essential: false })];

/** The next step that is not only a record, and the entry by then. */
function ask(task: LedgerTask, now: number): { step: TaskStep; task: LedgerTask } {
  const step = nextStep(task, { states: new Map(), now, bootId: 'boot-1' });
  return step.kind === 'record' ? ask(step.task, now) : { step, task };
}

/** Those named have been started, at 1100. */
function begun(containers: readonly ContainerSpec[], names: readonly string[], more: Partial<TaskSpec>): LedgerTask {
  const task = ledgerTask({ ...taskSpec(containers), ...more });
  const image = { reference: 'registry/app:1', digest: 'sha256:1' };
  const pulled = record.pulled(task, image, { startedAt: 1010, now: 1020 });
  return names.reduce(
    (entry, name) => record.started(record.created(entry, name, `r-${name}`), name, 1100),
    record.prepared(pulled, {}, 'boot-1'),
  );
}

describe('a timeout', () => {
  it('stops what still runs then, from the start of the first container, and says so', () => {
    const running = begun([app, side], ['app', 'side'], { timeoutSeconds: 60 });
    expect(ask(running, 2000).step).toEqual({ kind: 'wait', untilMs: 61_100 });
    const late = ask(running, 61_100);
    expect(late.step).toEqual({ kind: 'signal', container: 'app', signal: 'stop' });
    expect(observationOf(late.task)).toMatchObject({
      status: 'STOPPING',
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'TaskTimedOut: it ran for 1 min, the longest that it may',
      stoppingAt: 61_100,
    });
    const signalled = record.signalled(late.task, 'app', 'stop', 61_100);
    expect(ask(record.signalled(signalled, 'side', 'stop', 61_100), 61_200).step).toEqual({
      kind: 'wait',
      untilMs: 91_100,
    });
  });

  it('also counts while a container waits for another', () => {
    const waiting = containerSpec('late', { dependsOn: [{ containerName: 'side', condition: 'COMPLETE' }] });
    const task = begun([side, waiting], ['side'], { timeoutSeconds: 60 });
    expect(ask(task, 2000).step).toEqual({ kind: 'wait', untilMs: 61_100 });
    expect(ask(task, 61_100).step).toEqual({ kind: 'signal', container: 'side', signal: 'stop' });
  });

  it('also counts between the tries of a start that fails', () => {
    const failure = { kind: 'CannotStartContainerError', message: 'containerd restarts', retryable: true };
    const task = record.failed(
      begun([app, side], ['app'], { timeoutSeconds: 1 }),
      { kind: 'create', container: 'side', image: { reference: '', digest: '' } },
      failure,
      2050,
    );
    expect(ask(task, 2060).step).toEqual({ kind: 'wait', untilMs: 2100 });
    expect(ask(task, 2100).step).toEqual({ kind: 'signal', container: 'app', signal: 'stop' });
  });

  it('does not count while images are pulled, and is nothing to a task that has none', () => {
    const pulling = ledgerTask({ ...taskSpec([app]), timeoutSeconds: 1 });
    expect(ask(pulling, 1_000_000).step).toMatchObject({ kind: 'pull' });
    expect(ask(begun([app], ['app'], {}), 1_000_000).step).toEqual({ kind: 'wait' });
  });

  it('is not why a task stops that was asked to stop, or whose essential container has ended', () => {
    const running = begun([app], ['app'], { timeoutSeconds: 60 });
    const asked = applyDesired(running, { status: 'STOPPED', version: 2, at: 1500, stopCode: 'UserInitiated' });
    expect(observationOf(ask(asked, 99_000).task)).not.toHaveProperty('stopCode');
    const exit = { exitCode: 3, oomKilled: false, at: 61_000 };
    const step = nextStep(running, {
      states: new Map([['app', { state: 'exited', exit }]]),
      now: 99_000,
      bootId: 'boot-1',
    });
    if (step.kind !== 'record') throw new Error('an exit is recorded');
    expect(observationOf(step.task).stopCode).toBe('EssentialContainerExited');
  });
});

describe('a stop by force', () => {
  const forced: Desired = { status: 'STOPPED', version: 3, at: 1500, stopCode: 'UserInitiated', force: true };
  const dependent = containerSpec('dependent', { dependsOn: [{ containerName: 'app', condition: 'START' }] });

  it('kills everything at once, whoever depends on whom', () => {
    let task = applyDesired(begun([app, dependent], ['app', 'dependent'], {}), forced);
    const killed: string[] = [];
    for (let asked = ask(task, 2000); asked.step.kind === 'signal'; asked = ask(task, 2000)) {
      killed.push(`${asked.step.container} ${asked.step.signal}`);
      task = record.signalled(asked.task, asked.step.container, asked.step.signal, 2000);
    }
    expect(killed).toEqual(['app kill', 'dependent kill']);
    expect(ask(task, 2000).step).toEqual({ kind: 'wait', untilMs: 12_000 });
  });

  it('cuts short the time that a stop gives', () => {
    const stopping = applyDesired(begun([app], ['app'], {}), { status: 'STOPPED', version: 2, at: 1500 });
    const asked = ask(stopping, 2000);
    const signalled = record.signalled(asked.task, 'app', 'stop', 2000);
    expect(ask(signalled, 2001).step).toMatchObject({ kind: 'wait' });
    expect(ask(applyDesired(signalled, forced), 2001).step).toEqual({
      kind: 'signal',
      container: 'app',
      signal: 'kill',
    });
  });
});
