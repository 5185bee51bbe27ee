/** The end of a quickstart: how long everything took, what is left, and what to try next. */
import { formatDuration } from '../../core/text.ts';
import { alignColumns, type Output } from '../output.ts';
import { exportLines } from '../render/environment.ts';
import type { QuickstartCloud, QuickstartOptions } from './cloud.ts';
import type { Stopwatch } from './timings.ts';

export function printTimings(stopwatch: Stopwatch, out: Output): void {
  out.line();
  out.line(out.paint('bold', 'How long it took'));
  const rows = stopwatch.phases.map(({ phase, milliseconds }) => [phase, formatDuration(milliseconds)]);
  printRows([...rows, ['in all', formatDuration(stopwatch.total())]], out);
}

export function printFarewell(cloud: QuickstartCloud, { keep, runDir }: QuickstartOptions, out: Output): void {
  out.line();
  if (keep) printNextSteps(cloud, runDir, out);
  else if (cloud.borrowed)
    out.line(`The cloud at ${cloud.here.endpoint} is as it was; its history knows the task for some days.`);
  else if (cloud.purged) out.line('Nothing is left behind. `npm run quickstart -- --keep` leaves the cloud up.');
  else out.line('The cloud is down. Its data were there before and are left.');
}

function printNextSteps({ here, borrowed }: QuickstartCloud, runDir: string | undefined, out: Output): void {
  out.line(out.paint('bold', `The cloud is up at ${here.endpoint}. Try`));
  if (runDir !== undefined) out.line(`  export GANTRY_RUN_DIR=${runDir}`);
  const steps = [
    ['npx gantry run hello --follow', 'the same once more'],
    ["npx gantry run hello -f -- sh -c 'free -m; exit 3'; echo $?", 'another command; its exit code is yours'],
    ['npx gantry ps', 'what runs and what stopped, with why'],
    ['npx gantry hosts', 'what is free on each host'],
    ...(borrowed ? [] : [['npx gantry down --purge', 'takes all of it away']]),
  ];
  printRows(steps, out);
  out.line();
  out.line('Or with any ECS client, for example `aws ecs list-tasks --endpoint-url $AWS_ENDPOINT_URL_ECS`, after');
  for (const line of exportLines(here.environment)) out.line(`  ${line}`);
}

function printRows(rows: readonly (readonly string[])[], out: Output): void {
  for (const line of alignColumns(rows)) out.line(`  ${line}`);
}
