import { describe, expect, it } from 'vitest';
import type { Task } from '../../core/model/task.ts';
import { taskCan } from '../../core/task/capabilities.ts';
import { containerViews, desiredStatus, lastStatus, stopCause, taskTimes } from '../../core/task/status.ts';
import { giveVerdict, requestStop } from '../../core/task/transitions.ts';
import { containerSeen, newTask, observation, placedTask } from './tasks.ts';

const observed = (changes: Parameters<typeof observation>[0], task = placedTask()): Task => ({
  ...task,
  observed: observation(changes),
});
const stop = (task: Task): Task => requestStop(task, { at: 20_000, reason: 'enough' }) ?? task;
const giveUp = (task: Task): Task =>
  giveVerdict(task, { at: 50_000, stopCode: 'TaskFailedToStart', reason: 'no host in time' }) ?? task;

describe('the status of a task', () => {
  it('comes from its facts', () => {
    expect(lastStatus(newTask())).toBe('PROVISIONING');
    expect(lastStatus(placedTask())).toBe('PENDING');
    for (const status of ['PENDING', 'RUNNING', 'STOPPING', 'DEPROVISIONING', 'STOPPED'] as const) {
      expect(lastStatus(observed({ status }))).toBe(status);
    }
    expect(lastStatus(giveUp(observed({})))).toBe('STOPPED');
  });

  it('desires STOPPED from the moment at which anything ends it', () => {
    expect(desiredStatus(newTask())).toBe('RUNNING');
    expect(desiredStatus(observed({}))).toBe('RUNNING');
    expect(desiredStatus(stop(observed({})))).toBe('STOPPED');
    expect(desiredStatus(observed({ status: 'STOPPING' }))).toBe('STOPPED');
    expect(desiredStatus(giveUp(newTask()))).toBe('STOPPED');
  });
});

describe('why a task stopped', () => {
  it('is the user, where the agent names no cause of its own', () => {
    expect(stopCause(observed({}))).toBeUndefined();
    expect(stopCause(observed({ status: 'STOPPED' }, stop(placedTask())))).toEqual({
      stopCode: 'UserInitiated',
      stoppedReason: 'enough',
    });
    expect(stopCause(stop(placedTask()))?.stopCode).toBe('UserInitiated');
    expect(stopCause(requestStop(placedTask(), { at: 1 }) ?? newTask())?.stoppedReason).toBe('Task stopped by user');
  });

  it('is the cause of the agent, where that came first', () => {
    const exit = { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' } as const;
    expect(stopCause(observed({ status: 'STOPPED', ...exit }, stop(placedTask())))?.stopCode).toBe(
      'EssentialContainerExited',
    );
  });

  it('is the verdict before all', () => {
    expect(stopCause(giveUp(stop(observed({}))))).toEqual({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'no host in time',
    });
  });
});

describe('the times of a task', () => {
  it('are those of its phases, and no others', () => {
    expect(taskTimes(newTask())).toEqual({ createdAt: 10_000 });
    expect(
      taskTimes(observed({ status: 'STOPPED', stoppingAt: 15_000, executionStoppedAt: 14_999, stoppedAt: 15_100 })),
    ).toEqual({
      createdAt: 10_000,
      pullStartedAt: 10_012,
      pullStoppedAt: 11_212,
      startedAt: 11_300,
      stoppingAt: 15_000,
      executionStoppedAt: 14_999,
      stoppedAt: 15_100,
    });
  });

  it('a waiting task stops at the word of who stopped it', () => {
    expect(taskTimes(stop(newTask()))).toMatchObject({ stoppedAt: 20_000 });
    expect(taskTimes(giveUp(newTask()))).toMatchObject({ stoppedAt: 50_000 });
  });
});

describe('the containers of a task', () => {
  it('read PENDING before anything is known, in the order of the definition', () => {
    expect(containerViews(placedTask(), ['app', 'side'])).toEqual([
      { name: 'app', status: 'PENDING', networkBindings: [] },
      { name: 'side', status: 'PENDING', networkBindings: [] },
    ]);
  });

  it('none reads PENDING or RUNNING once the task is STOPPED, and no exit code is invented', () => {
    const views = containerViews(giveUp(observed({})), ['app', 'side']);
    expect(views.map(({ status }) => status)).toEqual(['STOPPED', 'STOPPED']);
    for (const view of views) expect(view).not.toHaveProperty('exitCode');
  });

  it('keeps exit code 0, and no reason beside it', () => {
    const [view] = containerViews(
      observed({ status: 'STOPPED', containers: [containerSeen({ status: 'STOPPED', exitCode: 0 })] }),
      ['app'],
    );
    expect(view?.exitCode).toBe(0);
    expect(view).not.toHaveProperty('reason');
  });
});

describe('what may be done', () => {
  it('or the sentence that says why not', () => {
    const ended = observed({ status: 'STOPPED' });
    const unstarted = observed({
      status: 'PENDING',
      containers: [{ name: 'app', status: 'PENDING', networkBindings: [] }],
    });
    expect(taskCan.stop(newTask())).toEqual({ can: true });
    expect(taskCan.stop(stop(observed({})))).toEqual({ can: false, why: 'The task is stopping already.' });
    expect(taskCan.stop(ended)).toEqual({ can: false, why: 'The task has stopped already.' });
    expect(taskCan.stop(giveUp(observed({})))).toEqual({ can: true });
    expect(taskCan.readLogs(ended)).toEqual({ can: true });
    expect(taskCan.readLogs(newTask())).toMatchObject({ why: expect.stringContaining('waits for a host') });
    expect(taskCan.readLogs(giveUp(newTask()))).toMatchObject({ why: expect.stringContaining('never placed') });
    expect(taskCan.readLogs(unstarted)).toMatchObject({ why: expect.stringContaining('has started yet') });
    expect(taskCan.readLogs(giveUp(unstarted))).toMatchObject({ why: expect.stringContaining('ever started') });
  });
});
