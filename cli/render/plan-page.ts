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

export const wouldBuyRows = (wouldBuy: readonly WouldBuyView[]): string[][] =>
  wouldBuy.map(({ capacityProvider, market, offers: [offer = '', ...others], hosts, hourlyUsd, tasks, why }) => [
    `${hosts} x ${offer}`,
    others.length === 0 ? market : `${market}, or ${others.join(', ')}`,
    capacityProvider,
    perHour(hourlyUsd),
    plural(tasks, 'task'),
    why,
  ]);

export function section(out: Output, title: string, rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  out.line(`${title}:`);
  for (const line of alignColumns(rows)) out.line(`  ${line}`);
}
