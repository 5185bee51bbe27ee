import { describe, expect, it } from 'vitest';
import type { DesiredTask } from '../../core/host-protocol.ts';
import type { FoundTask } from '../../core/plan/found.ts';
import { applyDesired, letGo, planHost } from '../../core/plan/host.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';
import { nextStep } from '../../core/plan/next-step.ts';
import { acknowledge, observationOf, reportOf } from '../../core/plan/observation.ts';
import { taskRemoved } from '../../core/plan/record.ts';
import type { HostSituation, HostStep } from '../../core/plan/steps.ts';
import { containerSpec, desiredTask, ledgerTask, taskSpec } from './specs.ts';

const spec = (taskId: string) => taskSpec([containerSpec('app')], taskId);
const desired = (taskId: string): DesiredTask => desiredTask(spec(taskId));
const stopping = (taskId: string, version = 2): DesiredTask => ({
  ...desired(taskId),
  desired: { status: 'STOPPED', version, at: 1500, stopCode: 'UserInitiated' },
});
const known = (taskId: string): LedgerTask => ledgerTask(spec(taskId));
const gone = (taskId: string): LedgerTask => taskRemoved(known(taskId), 1400);
const found = (taskId: string): FoundTask => ({
  taskId,
  containers: [
    { name: 'app', runtimeId: 'found-app', imageDigest: 'sha256:1', status: { state: 'running', startedAt: 1200 } },
  ],
  networkBindings: { app: [{ bindIP: '0.0.0.0', containerPort: 80, hostPort: 8080, protocol: 'tcp' }] },
});

const plan = (situation: Partial<HostSituation>): HostStep[] =>
  planHost({ desired: [], ledger: [], found: undefined, epochKnown: true, now: 2000, bootId: 'boot-1', ...situation });
const tell = (steps: readonly HostStep[]): string[] =>
  steps.map((step) => `${step.kind} ${'task' in step ? step.task.taskId : step.taskId}`);

describe('the plan of a host', () => {
  it('removes before it adds', () => {
    const steps = plan({
      desired: [
        desired('new'),
        { ...desired('newer'), desired: { status: 'RUNNING', version: 3, at: 1 } },
        stopping('ends'),
      ],
      ledger: [known('newer'), known('ends'), gone('gone'), known('unwanted')],
      found: [found('stray'), found('newer')],
    });
    expect(tell(steps)).toEqual([
      'remove-stray stray',
      'forget gone',
      'update unwanted',
      'update ends',
      'update newer',
      'accept new',
    ]);
  });

  it('does nothing where nothing has changed', () => {
    expect(plan({ desired: [desired('same')], ledger: [known('same')], found: [found('same')] })).toEqual([]);
  });

  it('removes, stops and forgets nothing on the word of a store that it does not know', () => {
    const situation = { desired: [desired('new')], ledger: [gone('gone'), known('unwanted')], found: [found('stray')] };
    expect(plan({ ...situation, epochKnown: false })).toEqual([]);
  });

  it('stops what nobody desires any more, and forgets it only once nothing of it is left', () => {
    const [step] = plan({ ledger: [known('unwanted')] });
    if (step?.kind !== 'update') throw new Error('not stopped');
    expect(step.task.desired).toMatchObject({ status: 'STOPPED', version: 1 });
    expect(plan({ ledger: [step.task] })).toEqual([]);
    expect(letGo(taskRemoved(step.task, 3000), 3000)).toEqual({ kind: 'forget', taskId: 'unwanted' });
  });

  it('never runs a task that was to stop before this host heard of it', () => {
    const [step] = plan({ desired: [stopping('late')] });
    if (step?.kind !== 'accept') throw new Error('not accepted');
    const next = nextStep(step.task, { states: new Map(), now: 2000, bootId: 'boot-1' });
    if (next.kind !== 'record') throw new Error('not recorded');
    expect(nextStep(next.task, { states: new Map(), now: 2000, bootId: 'boot-1' })).toEqual({ kind: 'remove-task' });
  });

  it('adopts what runs when the ledger has lost its entry', () => {
    const [step] = plan({ desired: [desired('lost')], found: [found('lost')] });
    if (step?.kind !== 'accept') throw new Error('not accepted');
    const states = new Map([['app', found('lost').containers[0]?.status ?? ('absent' as const)]]);
    const next = nextStep(step.task, { states, now: 2000, bootId: 'boot-1' });
    if (next.kind !== 'record') throw new Error('not recorded');
    expect(observationOf(next.task)).toMatchObject({
      status: 'RUNNING',
      containers: [
        { status: 'RUNNING', runtimeId: 'found-app', startedAt: 1200, networkBindings: [{ hostPort: 8080 }] },
      ],
    });
  });
});

describe('a newer desired state', () => {
  it('is applied once, and reported even when the observation stays the same', () => {
    const task = acknowledge(known('one'), 1);
    expect(reportOf(task, { full: false })).toBeUndefined();
    const applied = applyDesired(task, stopping('one').desired);
    expect(reportOf(applied, { full: false })).toMatchObject({ desiredVersion: 2, observation: { status: 'PENDING' } });
    expect(applyDesired(applied, stopping('one').desired)).toBe(applied);
  });

  it('never takes a stop back', () => {
    const stopped = applyDesired(known('one'), stopping('one').desired);
    expect(applyDesired(stopped, { status: 'RUNNING', version: 9, at: 1 })).toBe(stopped);
  });

  it('a full report tells what was acknowledged too', () => {
    expect(reportOf(acknowledge(known('one'), 1), { full: true })).toMatchObject({ taskId: 'one' });
  });
});
