/**
 * The quickstart as a story on standard output: a cloud, an image, a revision, a task to its end, how long each took, and what is left.
 * Whatever happens on the way, what was started for it is ended, unless it is to be kept.
 */
import type { TaskView } from '../../core/api/shapes.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-code.ts';
import type { Output } from '../output.ts';
import { openCloud, type QuickstartCloud, type QuickstartOptions } from './cloud.ts';
import { printFarewell, printTimings } from './farewell.ts';
import { runHello } from './hello.ts';
import { Stopwatch } from './timings.ts';

/** Answers the exit code of the container. */
export async function tellQuickstart(context: CommandContext, options: QuickstartOptions): Promise<number> {
  const out = storyOutput(context.out);
  const stopwatch = new Stopwatch(context.now);
  const cloud = await openCloud({ ...context, out }, options);
  stopwatch.mark(cloud.borrowed ? 'cloud found' : 'cloud up');
  let task: TaskView;
  try {
    task = await runHello({ ...context, out }, { cloud, keep: options.keep, stopwatch });
  } finally {
    if (!options.keep) await takeDown(cloud, out, stopwatch);
  }
  const exitCode = exitCodeOf(task);
  out.data({ task, exitCode, phases: stopwatch.phases, milliseconds: stopwatch.total(), kept: options.keep });
  printTimings(stopwatch, out);
  printFarewell(cloud, options, out);
  return exitCode;
}

/** Here the story is the result. With --json the result is one object, and the story goes to standard error as anywhere else. */
const storyOutput = (out: Output): Output => (out.json ? out : { ...out, note: (text) => out.line(text) });

async function takeDown(cloud: QuickstartCloud, out: Output, stopwatch: Stopwatch): Promise<void> {
  if (cloud.borrowed) return;
  out.note('Taking the cloud down');
  await cloud.end((line) => out.note(`  ${line}`));
  stopwatch.mark('cloud down');
}
