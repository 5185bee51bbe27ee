/** What to do about a task: one sentence for each thing that is wrong, and none where nothing is. */
import { beforeAll, describe, expect, it } from 'vitest';
import { adviceFor } from '../../cli/render/advice.ts';
import type { ContainerView, TaskView } from '../../core/api/shapes.ts';
import { placedTask } from './support/placed-task.ts';

describe('advice', () => {
  let running: TaskView;
  beforeAll(async () => {
    running = await placedTask();
  });

  const ended = (...ends: readonly Partial<ContainerView>[]): TaskView => ({
    ...running,
    lastStatus: 'STOPPED',
    containers: ends.flatMap((end) => running.containers.map((container) => ({ ...container, ...end }))),
  });

  it.each<[string, Partial<ContainerView>, RegExp | undefined]>([
    ['a clean end', { exitCode: 0 }, undefined],
    ['a program that failed', { exitCode: 1 }, undefined],
    ['no memory, by reason', { exitCode: 137, reason: 'OutOfMemoryError: Container killed' }, /more memory/],
    ['no memory, by the flag', { exitCode: 137, oomKilled: true }, /more memory/],
    ['an image that is not there', { reason: 'CannotPullContainerError: no such image' }, /image's name/],
    ['a program that is not there', { reason: 'CannotStartContainerError: no such file' }, /what is in the image/],
    ['a command that the shell did not find', { exitCode: 127 }, /not in the image/],
    ['a command that cannot be executed', { exitCode: 126 }, /cannot be executed/],
  ])('on %s', (_, end, expected) => {
    const advice = adviceFor(ended(end));
    expect(advice).toEqual(expected === undefined ? [] : [expect.stringMatching(expected)]);
  });

  it('is given once for containers that ended alike', () => {
    expect(adviceFor(ended({ oomKilled: true }, { oomKilled: true }))).toHaveLength(1);
  });

  it('on a task that waits begins with the commonest reason, or with there being no host', () => {
    const detail = { reason: 'RESOURCE:MEMORY', hosts: 3, detail: 'memory' };
    const waiting = (dimensions: readonly ('memory' | 'ports')[]): TaskView => ({
      ...running,
      lastStatus: 'PROVISIONING',
      explanation: {
        sentence: '',
        hostsLookedAt: dimensions.length,
        histogram: dimensions.map((dimension) => ({ ...detail, dimension })),
        nearest: [],
      },
    });
    expect(adviceFor(waiting(['memory', 'ports']))).toEqual([expect.stringContaining('Free memory')]);
    expect(adviceFor(waiting(['ports', 'memory']))).toEqual([expect.stringContaining('hostPort 0')]);
    expect(adviceFor(waiting([]))).toEqual([expect.stringContaining('Add a host')]);
  });

  it('is not needed by what runs', () => {
    expect(adviceFor({ ...running, lastStatus: 'RUNNING' })).toEqual([]);
  });
});
