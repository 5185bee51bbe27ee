/** `gantry logs`: what a task's containers wrote, as they wrote it. */
import type { Client } from '../../client/client.ts';
import { resumed } from '../../client/resume.ts';
import type { TaskView } from '../../core/api/shapes.ts';
import { GantryError } from '../../core/errors.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { findTask } from '../find-task.ts';
import { followLog } from '../follow-log.ts';
import { logBreakText, logWaitText, printLogLine } from '../render/log-lines.ts';
import { clusterOf, shortId, taskIdOf } from '../render/task.ts';

export const logsCommand = defineCommand({
  name: 'logs',
  summary: 'Print what a task wrote',
  details: [
    'Each line goes to the stream that the program wrote it to. With -f a connection that breaks is taken up where it broke off; where the ' +
      'control plane streams nothing, as behind API Gateway, the last lines come once the task has stopped.',
  ],
  arguments: [
    {
      name: 'id',
      summary: 'a task, by any unambiguous beginning of its id, or by ARN',
      required: true,
      completes: ['task'],
    },
  ],
  options: {
    follow: { type: 'boolean', short: 'f', summary: 'Go on until the task has stopped' },
    tail: { type: 'integer', short: 'n', value: 'N', min: 0, summary: 'Begin with the last N lines (default: all)' },
    container: { type: 'string', value: 'NAME', summary: 'Only what this container wrote' },
  },
  examples: ['gantry logs 3f2a', 'gantry logs 3f2a -f --tail 20', 'gantry logs 3f2a --container web'],
  async run(context, { args: [name = ''], options }) {
    const { client, out, signal } = context;
    const { follow = false, ...which } = options;
    const found = await findTask(context, name);
    const task = follow ? await onceReadable(client(), found, signal) : found;
    const { readLogs } = task.cannot;
    if (readLogs !== undefined)
      throw new GantryError('ResourceNotFoundException', readLogs, { hint: `\`gantry why ${name}\` says more.` });
    const several = task.containers.length > 1 && options.container === undefined;
    const request = { cluster: clusterOf(task), task: taskIdOf(task), ...which };
    const onBreak = (error: unknown): void => out.note(logBreakText(shortId(task), error, 'broken'));
    const onWait = (error: Error): void => out.note(logWaitText(shortId(task), error));
    const lines = follow ? followLog(client(), request, { signal, onBreak, onWait }) : client().logs(request, signal);
    for await (const line of lines) printLogLine(out, line, several ? line.container : undefined);
    return exitCodes.ok;
  },
});

/** The task once it has written or will never write anything. */
async function onceReadable(client: Client, task: TaskView, signal: AbortSignal): Promise<TaskView> {
  let last = task;
  const isSettled = (): boolean => last.cannot.readLogs === undefined || last.lastStatus === 'STOPPED';
  if (isSettled()) return last;
  const name = { cluster: clusterOf(task), task: taskIdOf(task) };
  for await (const line of resumed(() => client.watchTask(name, signal), { signal, isWhole: isSettled })) {
    if (line.kind === 'task') last = line.task;
    if (isSettled()) break;
  }
  return last;
}
