/** `gantry logs`: what a task's containers wrote, as they wrote it. */
import { GantryError } from '../../core/errors.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { findTask } from '../find-task.ts';
import { printLogLine } from '../render/log-lines.ts';
import { clusterOf, taskIdOf } from '../render/task.ts';

export const logsCommand = defineCommand({
  name: 'logs',
  summary: 'Print what a task wrote',
  arguments: [{ name: 'id', summary: 'a task, by any unambiguous beginning of its id, or by ARN', required: true }],
  options: {
    follow: { type: 'boolean', short: 'f', summary: 'Go on until the task has stopped' },
    tail: { type: 'integer', short: 'n', value: 'N', min: 0, summary: 'Begin with the last N lines (default: all)' },
    container: { type: 'string', value: 'NAME', summary: 'Only what this container wrote' },
  },
  examples: ['gantry logs 3f2a', 'gantry logs 3f2a -f --tail 20', 'gantry logs 3f2a --container web'],
  async run(context, { args: [name = ''], options }) {
    const { client, out, signal } = context;
    const task = await findTask(context, name);
    const { readLogs } = task.cannot;
    // One that has not started yet can be waited for; one that never will cannot.
    if (readLogs !== undefined && !(options.follow === true && task.lastStatus !== 'STOPPED'))
      throw new GantryError('ResourceNotFoundException', readLogs, { hint: `\`gantry why ${name}\` says more.` });
    const several = task.containers.length > 1 && options.container === undefined;
    const request = { cluster: clusterOf(task), task: taskIdOf(task), ...options, follow: options.follow === true };
    for await (const line of client().logs(request, signal))
      printLogLine(out, line, several ? line.container : undefined);
    return exitCodes.ok;
  },
});
