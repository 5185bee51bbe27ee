import { describe, expect, it } from 'vitest';
import type { Task } from '../../core/model/task.ts';
import { explainRefusal } from '../../core/placement/explain.ts';
import { taskHeadline, taskStory } from '../../core/task/story.ts';
import { giveVerdict, placeOn, requestStop } from '../../core/task/transitions.ts';
import { formatBytes, formatCpu, formatDuration, formatList, formatMib, plural } from '../../core/text.ts';
import { emptyHost, plainNeeds } from './arbitraries.ts';
import { containerSeen, newTask, observation, placedTask, taskDefinition } from './tasks.ts';

const explanation = explainRefusal(
  [emptyHost('host-1', { freeMemoryMib: 128 }), emptyHost('host-2', { status: 'DRAINING' })],
  plainNeeds({ reservation: { cpuUnits: 0, memoryMib: 256, ports: [] } }),
);
const definition = taskDefinition({ cpu: '256', memory: '512' });
const waiting: Task = { ...newTask({ definition }), explanation };
const must = (task: Task | undefined): Task => {
  if (task === undefined) throw new Error('the change is allowed');
  return task;
};
const observed = (changes: Parameters<typeof observation>[0], task = placedTask({ definition })): Task => ({
  ...task,
  observed: observation(changes),
});
const essentialExit = {
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'Essential container in task exited',
} as const;

const goes = 'EC2 takes the spot instance back at 1970-01-01 00:03:10 UTC.';

const stories: Record<string, Task> = {
  waiting,
  'placed after a wait': must(
    placeOn(waiting, { hostId: 'h1', hostName: 'host-1', reason: 'the only host that fits', at: 52_000 }),
  ),
  'never placed': must(
    giveVerdict(waiting, { at: 610_000, stopCode: 'TaskFailedToStart', reason: 'TaskFailedToStart: RESOURCE:MEMORY' }),
  ),
  pulling: observed({
    status: 'PENDING',
    pullStoppedAt: undefined,
    startedAt: undefined,
    containers: [{ name: 'app', status: 'PENDING', networkBindings: [] }],
  }),
  running: observed({}),
  'its host goes': { ...observed({}), hostGoes: { toldAt: 70_000, stopsAt: 160_000, reason: goes } },
  'its host goes, and a successor comes': {
    ...observed({}),
    replaceable: true,
    replacedBy: 'beef',
    hostGoes: { toldAt: 70_000, stopsAt: 160_000, reason: goes },
  },
  'its host may go': { ...observed({}), hostGoes: { toldAt: 70_000, reason: 'EC2 recommends to leave.' } },
  'exited well': observed({
    ...essentialExit,
    status: 'STOPPED',
    stoppingAt: 14_501,
    executionStoppedAt: 14_500,
    stoppedAt: 14_560,
    containers: [containerSeen({ status: 'STOPPED', exitCode: 0, stoppedAt: 14_500 })],
  }),
  'killed for want of memory': observed({
    ...essentialExit,
    status: 'STOPPED',
    stoppingAt: 14_501,
    executionStoppedAt: 14_500,
    stoppedAt: 14_560,
    containers: [
      containerSeen({
        status: 'STOPPED',
        exitCode: 137,
        oomKilled: true,
        reason: 'OutOfMemoryError: Container killed due to memory usage',
        stoppedAt: 14_500,
      }),
      containerSeen({ name: 'side', status: 'STOPPED', exitCode: 143, stoppedAt: 14_550 }),
    ],
  }),
  'failed to start': observed({
    status: 'STOPPED',
    startedAt: undefined,
    stopCode: 'TaskFailedToStart',
    stoppedReason: 'Task failed to start',
    stoppingAt: 11_220,
    stoppedAt: 11_240,
    containers: [
      {
        name: 'app',
        status: 'STOPPED',
        networkBindings: [],
        reason: 'CannotPullContainerError: registry/app:1: manifest unknown',
      },
    ],
  }),
  'stopped by a user': observed(
    {
      status: 'STOPPED',
      stoppingAt: 20_020,
      executionStoppedAt: 50_030,
      stoppedAt: 50_100,
      containers: [containerSeen({ status: 'STOPPED', exitCode: 137, stoppedAt: 50_030 })],
    },
    must(requestStop(placedTask({ definition }), { at: 20_000, reason: 'end of the demo' })),
  ),
  'lost with its host': must(
    giveVerdict(observed({}), {
      at: 190_000,
      stopCode: 'InfrastructureHealth',
      reason: 'host-1 has been silent for 3 min',
    }),
  ),
};

describe('the story of a task', () => {
  it.each(Object.entries(stories))('%s', async (name, task) => {
    const lines = taskStory(task).map(
      ({ at, phase, text }) => `${formatDuration(at - task.createdAt)}  [${phase}] ${text}`,
    );
    await expect(`The task ${taskHeadline(task)}.\n\n${lines.join('\n')}\n`).toMatchFileSnapshot(
      `./golden/story - ${name}.txt`,
    );
  });

  it('is told in the order of time', () => {
    for (const task of Object.values(stories)) {
      const times = taskStory(task).map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });
});

describe('amounts', () => {
  it.each([
    [-5, '0 ms'],
    [999.4, '999 ms'],
    [1000, '1 s'],
    [1234, '1.2 s'],
    [59_949, '59.9 s'],
    [59_999, '1 min'],
    [125_000, '2 min 5 s'],
    [3_599_600, '1 h'],
    [10_920_000, '3 h 2 min'],
    [187_200_000, '2 d 4 h'],
  ])('%d ms read %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('of memory, CPU and lists', () => {
    expect([512, 1024, 1536].map(formatMib)).toEqual(['512 MiB', '1 GiB', '1.5 GiB']);
    expect([17, 1024, 3_565_158, 1_073_741_823].map(formatBytes)).toEqual(['17 B', '1 KiB', '3.4 MiB', '1 GiB']);
    expect([0, 256, 1024, 1331].map(formatCpu)).toEqual(['0 vCPU', '0.25 vCPU', '1 vCPU', '1.3 vCPU']);
    expect([formatList([]), formatList(['a']), formatList(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c']);
    expect([plural(1, 'host'), plural(0, 'host')]).toEqual(['1 host', '0 hosts']);
  });
});
