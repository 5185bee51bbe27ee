import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ObservedStatus,
  observedStatusSchema,
  type Task,
  type TaskStatus,
  taskStatusSchema,
} from '../../core/model/task.ts';
import { lastStatus } from '../../core/task/status.ts';
import {
  acceptObservation,
  endedByVerdict,
  giveVerdict,
  mayMove,
  mustRelease,
  placeOn,
  requestStop,
  taskStateDiagram,
  transitions,
} from '../../core/task/transitions.ts';
import { newTask, observation, placedTask } from './tasks.ts';

const order: readonly TaskStatus[] = ['PROVISIONING', 'PENDING', 'RUNNING', 'STOPPING', 'DEPROVISIONING', 'STOPPED'];
const assignment = { hostId: 'h2', hostName: 'host-2', reason: 'the only host that fits', at: 20_000 };
const stopCode = 'InfrastructureHealth' as const;
const lost = { at: 50_000, stopCode, reason: 'host-1 was lost' };

describe('the table of transitions', () => {
  const sources = Object.values(transitions).flatMap((moves) => Object.keys(moves));

  it('gives each status exactly one owner', () => {
    expect(new Set(sources).size).toBe(sources.length);
    const unused = ['ACTIVATING', 'DEACTIVATING', 'STOPPED'];
    expect([...sources, ...unused].sort()).toEqual([...taskStatusSchema.options].sort());
    expect([...endedByVerdict].sort()).toEqual([...sources].sort());
  });

  it('moves forward only, and from every status to the end', () => {
    for (const moves of Object.values(transitions)) {
      for (const [from, targets] of Object.entries(moves)) {
        for (const to of targets)
          expect(order.indexOf(to)).toBeGreaterThan(order.indexOf(taskStatusSchema.parse(from)));
        expect(targets).toContain('STOPPED');
      }
    }
  });

  it('lets each actor move what it owns, and nothing else', () => {
    expect(mayMove('control plane', 'PROVISIONING', 'PENDING')).toBe(true);
    expect(mayMove('agent', 'PROVISIONING', 'PENDING')).toBe(false);
    expect(mayMove('control plane', 'RUNNING', 'STOPPED')).toBe(false);
    expect(mayMove('agent', 'STOPPED', 'RUNNING')).toBe(false);
  });

  it('is drawn in docs/task-states.md as it is', () => {
    const page = readFileSync(new URL('../../docs/task-states.md', import.meta.url), 'utf8');
    expect(page).toContain(`\`\`\`mermaid\n${taskStateDiagram()}\n\`\`\``);
  });
});

const reportArbitrary = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom(...observedStatusSchema.options))
  .map(([sequence, status]) => observation({ sequence, status }));

/** What an agent says in truth: one observation a sequence, forward only. */
const truthArbitrary = fc
  .array(fc.constantFrom<ObservedStatus>(...observedStatusSchema.options), { minLength: 1, maxLength: 8 })
  .map((statuses) =>
    statuses
      .sort((a, b) => order.indexOf(a) - order.indexOf(b))
      .map((status, index) => observation({ status, sequence: index + 1, acceptedAt: 10_010 + index })),
  );

function apply(task: Task, report: ReturnType<typeof observation>): Task {
  const outcome = acceptObservation(task, report);
  return outcome.kind === 'accepted' ? outcome.task : task;
}

describe('a report', () => {
  it('never moves a task back, whatever comes in which order', () => {
    fc.assert(
      fc.property(fc.array(reportArbitrary, { maxLength: 20 }), (reports) => {
        let task = placedTask();
        for (const report of reports) {
          const next = apply(task, report);
          expect(order.indexOf(lastStatus(next))).toBeGreaterThanOrEqual(order.indexOf(lastStatus(task)));
          expect(next.observed?.sequence ?? 0).toBeGreaterThanOrEqual(task.observed?.sequence ?? 0);
          task = next;
        }
      }),
    );
  });

  it('ends in what the newest says, however reports are lost, doubled and mixed', () => {
    const deliveries = truthArbitrary.chain((truth) =>
      fc.tuple(fc.constant(truth), fc.shuffledSubarray([...truth, ...truth], { minLength: 1 })),
    );
    fc.assert(
      fc.property(deliveries, ([, delivered]) => {
        const end = delivered.reduce(apply, placedTask());
        const newest = delivered.reduce((a, b) => (b.sequence > a.sequence ? b : a));
        expect(lastStatus(end)).toBe(newest.status);
        expect(end.observed?.sequence).toBe(newest.sequence);
      }),
    );
  });

  it('says which phase was when only once', () => {
    const first = apply(placedTask(), observation());
    const second = apply(first, observation({ sequence: 4, status: 'STOPPING', startedAt: 1, stoppingAt: 12_000 }));
    expect(second.observed).toMatchObject({ startedAt: 11_300, stoppingAt: 12_000 });
  });

  it('tells late from illegal', () => {
    const task = apply(placedTask(), observation({ status: 'STOPPING' }));
    expect(acceptObservation(task, observation({ status: 'STOPPED' }))).toEqual({ kind: 'late' });
    expect(acceptObservation(task, observation({ sequence: 4, status: 'RUNNING' }))).toEqual({
      kind: 'illegal',
      why: 'task f00d cannot move from STOPPING to RUNNING',
    });
    expect(acceptObservation(newTask(), observation()).kind).toBe('illegal');
  });

  it('after a verdict is kept as history, and the task stays STOPPED', () => {
    const running = apply(placedTask(), observation());
    const given = giveVerdict(running, lost);
    if (given === undefined) throw new Error('a running task can be given up');
    const outcome = acceptObservation(given, observation({ sequence: 4, status: 'STOPPED', stoppedAt: 60_000 }));
    if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
    expect(outcome.statusChanged).toBe(false);
    expect(outcome.task.observed?.status).toBe('STOPPED');
    expect(lastStatus(outcome.task)).toBe('STOPPED');
  });
});

describe('the control plane', () => {
  it('places only what waits, and the explanation goes with the wait', () => {
    const explanation = { sentence: 'the cluster has no hosts', hostsLookedAt: 0, histogram: [], nearest: [] };
    const placed = placeOn({ ...newTask(), explanation }, assignment);
    expect(placed).toMatchObject({ hostId: 'h2', placementReason: 'the only host that fits', placedAt: 20_000 });
    expect(placed).not.toHaveProperty('explanation');
    expect(placeOn(placedTask(), assignment)).toBeUndefined();
    const stopped = requestStop(newTask(), { at: 1 });
    if (stopped === undefined) throw new Error('a waiting task can be stopped');
    expect(placeOn(stopped, assignment)).toBeUndefined();
    expect(lastStatus(stopped)).toBe('STOPPED');
  });

  it('asks once for an end, with a greater version', () => {
    const stopped = requestStop(placedTask(), { at: 20_000, reason: 'enough' });
    expect(stopped?.desired).toEqual({
      status: 'STOPPED',
      version: 2,
      at: 20_000,
      stopCode: 'UserInitiated',
      reason: 'enough',
    });
    if (stopped === undefined) throw new Error('a placed task can be stopped');
    expect(requestStop(stopped, { at: 30_000 })).toBeUndefined();
    expect(lastStatus(stopped)).toBe('PENDING');
  });

  it('a verdict leaves alone what a lost host may run, and keeps it from starting what it had not accepted', () => {
    const running = giveVerdict(apply(placedTask(), observation()), lost);
    expect(running?.desired.status).toBe('RUNNING');
    const unaccepted = giveVerdict(placedTask(), lost);
    expect(unaccepted?.desired).toMatchObject({ status: 'STOPPED', version: 2 });
    if (running === undefined) throw new Error('a running task can be given up');
    expect(giveVerdict(running, lost)).toBeUndefined();
    expect(requestStop(running, { at: 60_000 })?.desired.status).toBe('STOPPED');
  });

  it('gives capacity back once, and only when the agent said that all is gone', () => {
    const stopped = apply(placedTask(), observation({ status: 'STOPPED' }));
    expect(mustRelease(stopped)).toBe(true);
    expect(mustRelease({ ...stopped, released: true })).toBe(false);
    expect(mustRelease(giveVerdict(apply(placedTask(), observation()), lost) ?? stopped)).toBe(false);
    expect(mustRelease(newTask())).toBe(false);
  });
});
