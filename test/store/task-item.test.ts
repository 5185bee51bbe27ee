/** Tasks through their items and back, and items of before. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { itemOf } from '../../control/store/item.ts';
import { keys } from '../../control/store/keys.ts';
import type { Item } from '../../control/store/table.ts';
import { parseTask, taskData } from '../../control/store/task-item.ts';
import type { LogLine, Task } from '../../core/model/task.ts';
import { placedTask } from '../core/tasks.ts';

const line: fc.Arbitrary<LogLine> = fc.record(
  {
    at: fc.integer({ min: 0, max: 2 ** 42 }),
    container: fc.constant('app'),
    stream: fc.constantFrom('stdout', 'stderr'),
    text: fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', '')),
    approximate: fc.constant(true),
  },
  { requiredKeys: ['at', 'container', 'stream', 'text'] },
);

const stopped = (lines: readonly LogLine[] | undefined): Task => ({
  ...placedTask(),
  observed: {
    status: 'STOPPED',
    sequence: 3,
    acceptedAt: 1,
    containers: [
      { name: 'app', status: 'STOPPED', exitCode: 0, networkBindings: [], ...(lines && { lastLogLines: [...lines] }) },
      { name: 'other', status: 'STOPPED', networkBindings: [] },
    ],
  },
});

const stored = (task: Task): Item => itemOf(keys.task(task.id), taskData(task));

it('are what they were, whatever their containers wrote', () => {
  fc.assert(
    fc.property(fc.option(fc.array(line, { maxLength: 20 }), { nil: undefined }), (lines) => {
      const task = stopped(lines);
      expect(parseTask(stored(task))).toEqual(task);
    }),
  );
});

it('are understood as the version before has stored them', () => {
  const task = stopped([{ at: 1, container: 'app', stream: 'stdout', text: 'a line' }]);
  expect(parseTask(itemOf(keys.task(task.id), task))).toEqual(task);
});

it('lose nothing but the end of a line within a line', () => {
  const task = stopped([{ at: 1, container: 'app', stream: 'stderr', text: 'a\nb' }]);
  expect(parseTask(stored(task)).observed?.containers[0]?.lastLogLines).toMatchObject([
    { text: 'a b', stream: 'stderr' },
  ]);
});

it('with ten lines of sixty characters and all that a run leaves behind fit two kilobytes', () => {
  const text = '2026-11-25T12:00:00.000Z INFO a request was answered in 12 ms';
  const lines = Array.from(
    { length: 10 },
    (): LogLine => ({ at: 1_795_628_067_968, container: 'app', stream: 'stdout', text }),
  );
  expect(JSON.stringify(taskData(stopped(lines))).length).toBeLessThan(2048);
});
