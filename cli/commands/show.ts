/** `gantry show`: the whole story of one task. */
import type { TaskView } from '../../core/api/shapes.ts';
import type { LogLine } from '../../core/model/task.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { findTask } from '../find-task.ts';
import { logLineData } from '../render/log-lines.ts';
import { clusterOf, taskIdOf } from '../render/task.ts';
import { printTaskPage } from '../render/task-page.ts';
import { wholeLines } from '../whole-lines.ts';

const shownLines = 10;

export const showCommand = defineCommand({
  name: 'show',
  summary: 'Show one task: story, containers, limits, addresses, last log lines',
  arguments: [
    {
      name: 'id',
      summary: 'a task, by any unambiguous beginning of its id, or by ARN',
      required: true,
      completes: ['task'],
    },
  ],
  options: {},
  examples: ['gantry show 3f2a', 'gantry show 3f2a --json'],
  async run(context, { args: [name = ''] }) {
    const { out, now } = context;
    const task = await findTask(context, name);
    const lastLines = await lastLinesOf(context, task);
    out.data({ task, lastLogLines: lastLines.map(logLineData) });
    if (!out.json) printTaskPage(task, lastLines, out, now());
    return exitCodes.ok;
  },
});

async function lastLinesOf({ client, out, signal }: CommandContext, task: TaskView): Promise<LogLine[]> {
  if (task.cannot.readLogs !== undefined) return [];
  const lines: LogLine[] = [];
  try {
    const name = { cluster: clusterOf(task), task: taskIdOf(task), tail: shownLines };
    for await (const line of wholeLines(client().logs(name, signal))) lines.push(line);
  } catch (error) {
    // The page is worth showing without them.
    out.note(`Its log cannot be read now: ${error instanceof Error ? error.message : String(error)}`);
  }
  return lines.slice(-shownLines);
}
