/** Which exit code `gantry run --wait` takes over, of tasks with several containers and several ends. */
import { beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOf, firstFailure } from '../../cli/exit-code.ts';
import type { ContainerView, TaskView } from '../../core/api/shapes.ts';
import { placedTask } from './support/placed-task.ts';

describe('the exit code', () => {
  let task: TaskView;
  beforeAll(async () => {
    task = await placedTask();
  });

  const ended = (...containers: readonly Partial<ContainerView>[]): TaskView => ({
    ...task,
    lastStatus: 'STOPPED',
    stopCode: 'EssentialContainerExited',
    containers: containers.flatMap((changes) => task.containers.map((container) => ({ ...container, ...changes }))),
  });
  const at = (second: number): Date => new Date(second * 1000);

  it('is that of the essential container that ended first', () => {
    expect(exitCodeOf(ended({ exitCode: 1, stoppedAt: at(2) }, { exitCode: 2, stoppedAt: at(1) }))).toBe(2);
    expect(exitCodeOf(ended({ exitCode: 1 }, { exitCode: 2, stoppedAt: at(1) }))).toBe(2);
    expect(
      exitCodeOf(ended({ exitCode: 1, stoppedAt: at(1), essential: false }, { exitCode: 0, stoppedAt: at(2) })),
    ).toBe(0);
  });

  it('is that of the container that is named', () => {
    const two = ended({ name: 'a', exitCode: 1, stoppedAt: at(1) }, { name: 'b', exitCode: 2, stoppedAt: at(2) });
    expect(exitCodeOf(two, 'b')).toBe(2);
  });

  it('is our own where no container decided it', () => {
    const { containerInstanceArn: _, ...unplaced } = ended({ exitCode: 0 });
    expect(exitCodeOf(unplaced)).toBe(122);
    expect(exitCodeOf({ ...ended({ exitCode: 0 }), stopCode: 'TaskFailedToStart' })).toBe(125);
    expect(exitCodeOf(ended({}))).toBe(125);
    expect(exitCodeOf(ended({ name: 'a', exitCode: 0 }), 'b')).toBe(125);
  });

  it('of several tasks is the first that is not 0', () => {
    expect(firstFailure([0, 3, 5])).toBe(3);
    expect(firstFailure([0, 0])).toBe(0);
    expect(firstFailure([])).toBe(0);
  });
});
