/** `gantry why`: the one question, answered with its evidence. */
import type { TaskView } from '../../core/api/shapes.ts';
import { plural } from '../../core/text.ts';
import { alignColumns, type Output } from '../output.ts';
import { adviceFor } from './advice.ts';
import { type ProviderOrder, printOrders } from './capacity-page.ts';
import { headlineOf, revisionOf, shortId } from './task.ts';
import { oneLine } from './text.ts';

export function printWhyPage(task: TaskView, onOrder: readonly ProviderOrder[], out: Output, now: number): void {
  out.line(`${out.paint('bold', `${revisionOf(task)} ${shortId(task)}`)} ${headlineOf(task)}.`);
  if (isAboutPlacement(task)) printExplanation(task, out);
  else if (task.lastStatus === 'STOPPED') printEnds(task, out);
  printOrders('On order for it', onOrder, out, now);
  const advice = adviceFor(task);
  if (advice.length > 0) out.line();
  for (const sentence of advice) out.line(sentence);
}

/** It waits, or it stopped without ever having had a host. */
const isAboutPlacement = ({ containerInstanceArn, explanation }: TaskView): boolean =>
  containerInstanceArn === undefined && explanation !== undefined;

function printExplanation({ explanation }: TaskView, out: Output): void {
  if (explanation === undefined || explanation.hostsLookedAt === 0) return;
  out.line();
  out.line(`Why none of ${plural(explanation.hostsLookedAt, 'host')} takes it:`);
  printRows(
    explanation.histogram.map(({ hosts, detail }) => [plural(hosts, 'host'), detail]),
    out,
  );
  out.line();
  out.line('Nearest hosts:');
  printRows(
    explanation.nearest.map(({ name, lacks }) => [name, lacks.join('; ')]),
    out,
  );
}

function printEnds(task: TaskView, out: Output): void {
  for (const { name, reason, lastLogLines = [] } of task.containers) {
    if (reason !== undefined) out.line(`  ${name}: ${oneLine(reason)}`);
    if (lastLogLines.length > 0) {
      out.line();
      out.line(`Last lines of ${name}:`);
    }
    for (const { text } of lastLogLines) out.line(`  ${oneLine(text)}`);
  }
}

function printRows(rows: readonly (readonly string[])[], out: Output): void {
  for (const line of alignColumns(rows)) out.line(`  ${line}`);
}
