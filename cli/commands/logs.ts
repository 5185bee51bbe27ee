/** `gantry logs`: what the containers of tasks wrote, as they wrote it. */
import { compact } from '../../core/compact.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { firstFailure } from '../exit-code.ts';
import { tasksArgument } from '../find-task.ts';
import { followLog } from '../follow-log.ts';
import { tasksOfLogs, whenReadable } from '../log-tasks.ts';
import { mergeByTime } from '../merge-by-time.ts';
import { logBreakText, logLineData, logWaitText, printLogLine } from '../render/log-lines.ts';
import { clusterOf, shortId, taskIdOf } from '../render/task.ts';
import { reportError } from '../report-error.ts';
import { momentNamed } from '../since.ts';
import { wholeLines } from '../whole-lines.ts';

type Task = Awaited<ReturnType<typeof tasksOfLogs>>[number];

export const logsCommand = defineCommand({
  name: 'logs',
  summary: 'Print what tasks wrote',
  details: [
    'Lines of several tasks and containers come in the order of their times, each with its writer before it, and each goes to the stream ' +
      'that the program wrote it to. A time with ~ before it is approximate: no agent was there when the line was written.',
    'With -f a connection that breaks is taken up where it broke off; where the control plane streams nothing, as behind API Gateway, the ' +
      'last lines come once the task has stopped.',
  ],
  arguments: [{ ...tasksArgument, required: false }],
  options: {
    follow: { type: 'boolean', short: 'f', summary: 'Go on until the tasks have stopped' },
    tail: {
      type: 'integer',
      short: 'n',
      value: 'N',
      min: 0,
      summary: 'Begin with the last N lines of each task (default: all)',
    },
    since: {
      type: 'string',
      value: 'WHEN',
      summary: 'Only what was written since: 90s, 15m, 2h, 3d, or a time in RFC 3339',
    },
    container: { type: 'string', value: 'NAME', summary: 'Only what this container wrote' },
    timestamps: { type: 'boolean', short: 't', summary: 'Put its time before each line' },
    family: {
      type: 'string',
      value: 'FAMILY',
      summary: 'Tasks of this family, in place of ids',
      completes: ['family'],
    },
    all: { type: 'boolean', short: 'a', summary: "All the cluster's tasks, in place of ids" },
  },
  examples: [
    'gantry logs 3f2a',
    'gantry logs 3f2a -f --tail 20',
    'gantry logs 3f2a 91c0 --since 15m --timestamps',
    'gantry logs --family web -f --container app',
  ],
  async run(context, { args, options }) {
    const { client, out, signal, now } = context;
    const { follow = false, timestamps = false, container, tail } = options;
    const since = options.since === undefined ? undefined : momentNamed(options.since, now()).toISOString();
    const tasks = await tasksOfLogs(context, args, { ...options, follow });
    const several = tasks.length > 1;
    const linesOf = (task: Task) => {
      const request = { cluster: clusterOf(task), task: taskIdOf(task), ...compact({ container, tail, since }) };
      const onBreak = (error: unknown): void => out.note(logBreakText(shortId(task), error, 'broken'));
      const onWait = (error: Error): void => out.note(logWaitText(shortId(task), error));
      if (follow) return followLog(client(), request, { signal, onBreak, onWait });
      return wholeLines(client().logs(request, signal));
    };
    const failures: number[] = [];
    let onlyFailure: { error: unknown } | undefined;
    const onFailure = (task: Task, error: unknown): void => {
      if (!several) onlyFailure = { error };
      else if (!signal.aborted) out.note(`The log of ${shortId(task)} cannot be read:`);
      if (several) failures.push(reportError(error, out, signal));
    };
    const sources = new Map(tasks.map((task) => [task, whenReadable(context, task, follow, () => linesOf(task))]));
    for await (const [task, line] of mergeByTime(sources, { isEndless: follow, onFailure })) {
      const names = [...(several ? [shortId(task)] : []), ...writer(task, line.container, container)];
      const data = { ...(several && { task: taskIdOf(task) }), ...logLineData(line) };
      printLogLine(out, line, { writer: names.join(' '), timestamps, data });
    }
    if (onlyFailure !== undefined) throw onlyFailure.error;
    return firstFailure([...failures, exitCodes.ok]);
  },
});

const writer = ({ containers }: Task, name: string, wanted: string | undefined): string[] =>
  containers.length > 1 && wanted === undefined ? [name] : [];
