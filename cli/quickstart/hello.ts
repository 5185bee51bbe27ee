/** The first task: registers the example, runs it and sees it to its end, with what it writes. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { TaskView } from '../../core/api/shapes.ts';
import { GantryError } from '../../core/errors.ts';
import { formatCpu, formatMib } from '../../core/text.ts';
import type { CommandContext } from '../context.ts';
import { readTaskDefinition, register } from '../register-file.ts';
import { printLogLine } from '../render/log-lines.ts';
import { Narrator } from '../render/narrator.ts';
import { revisionOf } from '../render/task.ts';
import { noteWarnings } from '../render/warnings.ts';
import { watchToEnd } from '../watch.ts';
import type { QuickstartCloud } from './cloud.ts';
import { type Stopwatch, taskPhases } from './timings.ts';

const exampleFile = fileURLToPath(new URL('../../examples/hello.json', import.meta.url));

const exampleSchema = z.looseObject({ containerDefinitions: z.tuple([z.looseObject({ image: z.string() })]) });

interface Surroundings {
  readonly cloud: QuickstartCloud;
  readonly keep: boolean;
  readonly stopwatch: Stopwatch;
}

/** Resolves with the task as it ended. Image and revision are taken away again unless they are to be kept. */
export async function runHello(context: CommandContext, { cloud, keep, stopwatch }: Surroundings): Promise<TaskView> {
  const { local, out, readFile } = context;
  const file = await readTaskDefinition(readFile, exampleFile);
  const { containerDefinitions, ...rest } = exampleSchema.parse(file.content);
  const [container] = containerDefinitions;
  const image = await local.helloImage(container.image, cloud.local, (line) => out.note(line));
  try {
    stopwatch.mark('image found');
    const content = { ...rest, containerDefinitions: [{ ...container, image: image.reference }] };
    return await runExample(context, { ...file, content }, { cloud, keep, stopwatch });
  } finally {
    if (!keep) await image[Symbol.asyncDispose]();
  }
}

async function runExample(
  { out, signal, now }: CommandContext,
  example: Parameters<typeof register>[1],
  { cloud, keep, stopwatch }: Surroundings,
): Promise<TaskView> {
  const { client, cluster } = cloud.here;
  const { taskDefinition, warnings } = await register(client, example, signal);
  const revision = revisionOf(taskDefinition);
  const { cpu = '0', memory = '0' } = taskDefinition;
  out.note(`Registered ${revision}: ${formatCpu(Number(cpu))} and ${formatMib(Number(memory))} at most`);
  noteWarnings(warnings, out);
  stopwatch.mark('registered');
  try {
    const { tasks } = await client.call('RunTask', { taskDefinition: revision, cluster }, signal);
    if (tasks[0] === undefined) throw new GantryError('ServerException', 'The control plane made no task.');
    const narrator = new Narrator({ out, now, several: false });
    const onLogLine = (_: TaskView, line: Parameters<typeof printLogLine>[1]): void => {
      if (!out.json) printLogLine(out, line, { writer: line.container });
    };
    const [ended = tasks[0]] = await watchToEnd(tasks, { client, narrator, signal, onLogLine });
    stopwatch.markAs(taskPhases(ended));
    return ended;
  } finally {
    // One's own cloud is taken down as a whole.
    if (cloud.borrowed && !keep) await client.call('DeregisterTaskDefinition', { taskDefinition: revision });
  }
}
