/** `gantry wait`: blocks until tasks have come to where a script wants them. */
import type { TaskView } from '../../core/api/shapes.ts';
import { plural } from '../../core/text.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf, firstFailure } from '../exit-code.ts';
import { findTask, tasksArgument } from '../find-task.ts';
import { usage } from '../parse.ts';
import { Narrator } from '../render/narrator.ts';
import { headlineOf, revisionOf, shortId } from '../render/task.ts';
import { watchToEnd } from '../watch.ts';

const statuses = { running: 'RUNNING', stopped: 'STOPPED' } as const;
type Wanted = keyof typeof statuses;

export const waitCommand = defineCommand({
  name: 'wait',
  summary: 'Wait until tasks have stopped, or until they run',
  details: [
    'Ends with 0 once all of them are there, with 1 where one can never be (it stopped before it ran), and with 3 after --timeout; ' +
      'tasks go on whatever it ends with. What happens meanwhile is told on standard error.',
  ],
  arguments: [tasksArgument],
  options: {
    for: { type: 'string', choices: ['stopped', 'running'], summary: 'What to wait for (default: stopped)' },
    timeout: { type: 'integer', value: 'SECONDS', min: 1, summary: 'End with 3 after this long' },
    'exit-code': {
      type: 'boolean',
      summary: "End as `gantry run --wait` does: with the container's own exit code (of several tasks the first not 0)",
    },
  },
  examples: [
    'gantry wait 3f2a',
    'gantry wait 3f2a 91c0 --for running --timeout 120',
    "id=$(gantry run job --json | jq -r '.tasks[0].taskArn'); gantry wait $id --exit-code",
  ],
  async run(context, { args, options }) {
    const { out, client, now } = context;
    const wanted: Wanted = options.for === 'running' ? 'running' : 'stopped';
    if (wanted === 'running' && options['exit-code'] === true)
      throw usage({ name: 'wait' }, '--exit-code needs the end, and --for running does not wait for it');
    const found: TaskView[] = [];
    for (const name of args) found.push(await findTask(context, name));
    const narrator = new Narrator({ out, now, several: found.length > 1 });
    const timer = options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout * 1000);
    const signal = timer === undefined ? context.signal : AbortSignal.any([context.signal, timer]);
    try {
      const tasks = await watchToEnd(found, { client: client(), narrator, signal, until: statuses[wanted] });
      return tell(context, tasks, wanted, options['exit-code'] === true);
    } catch (error) {
      if (timer?.aborted !== true || context.signal.aborted) throw error;
      return giveUp(context, found, options.timeout ?? 0);
    }
  },
});

function tell({ out }: CommandContext, tasks: readonly TaskView[], wanted: Wanted, asRun: boolean): number {
  const missed = tasks.filter(({ lastStatus }) => lastStatus !== statuses[wanted]);
  const exitCode = asRun
    ? firstFailure(tasks.map((task) => exitCodeOf(task)))
    : missed.length === 0
      ? exitCodes.ok
      : exitCodes.failed;
  out.data({ reached: missed.length === 0, tasks, exitCode });
  for (const task of tasks) out.line(`${shortId(task)} ${revisionOf(task)} ${headlineOf(task)}`);
  for (const task of missed)
    out.note(
      `${out.paint('red', 'Error:')} ${shortId(task)} will never run: it has stopped. \`gantry why ${shortId(task)}\` says why.`,
    );
  return exitCode;
}

function giveUp({ out }: CommandContext, tasks: readonly TaskView[], seconds: number): number {
  const message = `It took longer than ${seconds} s.`;
  out.data({ error: { code: 'Timeout', message }, tasks });
  const ids = tasks.map(shortId).join(' ');
  out.note(`${message} ${plural(tasks.length, 'task')} may go on; \`gantry why ${ids.split(' ')[0]}\` says more.`);
  return exitCodes.timeout;
}
