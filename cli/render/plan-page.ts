/** `gantry plan run`: a row for each host that would take tasks and for each that would be bought, and the rest with its reason. */
import type { WouldBuyView } from '../../core/api/capacity.ts';
import type { Output as Answer } from '../../core/api/operations.ts';
import { plural } from '../../core/text.ts';
import { alignColumns, type Output } from '../output.ts';
import { perHour } from './money.ts';

export function printPlanPage(
  { placed, awaiting, wouldBuy, unmet, hourlyUsd }: Answer<'PlanTasks'>,
  out: Output,
): void {
  section(
    out,
    'On hosts that are there',
    placed.map(({ hostName, tasks, why }) => [plural(tasks, 'task'), hostName, why]),
  );
  section(
    out,
    'On what is on order already',
    awaiting.map(({ tasks, why }) => [plural(tasks, 'task'), why]),
  );
  section(out, `Would be bought, ${perHour(hourlyUsd)} more`, wouldBuyRows(wouldBuy));
  section(
    out,
    out.paint('red', 'Would not run'),
    unmet.map(({ tasks, why }) => [plural(tasks, 'task'), why]),
  );
  out.line(out.paint('dim', 'Nothing was done.'));
}

/** What would be bought, and at what price, is in the sentence. */
export const wouldBuyRows = (wouldBuy: readonly WouldBuyView[]): string[][] =>
  wouldBuy.map(({ capacityProvider, offers: [, ...others], tasks, why }) => [
    plural(tasks, 'task'),
    capacityProvider,
    others.length === 0 ? why : `${why}; or ${others.join(' or ')} where there is none`,
  ]);

export function section(out: Output, title: string, rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  out.line(`${title}:`);
  for (const line of alignColumns(rows)) out.line(`  ${line}`);
}
