/** `gantry stop`: asks tasks to stop, and with --wait sees them stopped. */
import type { TaskView } from '../../core/api/shapes.ts';
import { compact } from '../../core/compact.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { firstFailure } from '../exit-code.ts';
import { findTask, tasksArgument } from '../find-task.ts';
import { Narrator } from '../render/narrator.ts';
import { clusterOf, headlineOf, revisionOf, shortId, taskIdOf } from '../render/task.ts';
import { reportError } from '../report-error.ts';
import { watchToEnd } from '../watch.ts';

export const stopCommand = defineCommand({
  name: 'stop',
  summary: "Stop tasks: SIGTERM, then SIGKILL after each container's stopTimeout",
  arguments: [tasksArgument],
  options: {
    force: { type: 'boolean', summary: 'SIGKILL at once; also where the host does not answer' },
    reason: { type: 'string', value: 'TEXT', summary: 'Kept with the task and shown as why it stopped' },
    wait: { type: 'boolean', summary: 'Return once they have stopped' },
  },
  examples: ['gantry stop 3f2a', 'gantry stop 3f2a 91c0 --wait --reason "end of the demo"', 'gantry stop 3f2a --force'],
  async run(context, { args, options }) {
    const { out, client, now, signal } = context;
    const stopping: TaskView[] = [];
    const codes: number[] = [];
    for (const name of args) {
      try {
        stopping.push(await stopOne(context, name, options));
      } catch (error) {
        // The others are stopped all the same.
        codes.push(reportError(error, out, signal));
      }
    }
    const narrator = new Narrator({ out, now, several: stopping.length > 1 });
    const tasks = options.wait === true ? await watchToEnd(stopping, { client: client(), narrator, signal }) : stopping;
    out.data({ tasks });
    if (options.wait === true) for (const task of tasks) out.line(`${shortId(task)} ${headlineOf(task)}`);
    return firstFailure([...codes, exitCodes.ok]);
  },
});

interface StopOptions {
  readonly reason?: string | undefined;
  readonly force?: boolean | undefined;
}

async function stopOne(context: CommandContext, name: string, { reason, force }: StopOptions): Promise<TaskView> {
  const { client, out } = context;
  const found = await findTask(context, name);
  const { task } = await client().call('StopTask', {
    cluster: clusterOf(found),
    task: taskIdOf(found),
    ...compact({ reason, force }),
  });
  out.line(`${shortId(found)} ${force === true ? forcedText(found, task) : askedText(found)}`);
  return task;
}

const askedText = (found: TaskView): string => found.cannot.stop ?? `${revisionOf(found)} is asked to stop`;

/** What is stopping already can still be killed. */
function forcedText(before: TaskView, after: TaskView): string {
  if (before.lastStatus === 'STOPPED') return askedText(before);
  return after.lastStatus === 'STOPPED'
    ? `${revisionOf(after)} ${headlineOf(after)}`
    : `${revisionOf(after)} is killed`;
}
