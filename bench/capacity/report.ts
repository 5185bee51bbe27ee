/** The figures as tables. */
import { percentile } from '../statistics.ts';
import type { Day } from './day.ts';
import type { PlanTimes } from './plan-time.ts';
import type { Packing } from './static.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

export const staticTable = (packings: readonly Packing[]): string =>
  table(
    ['all pods at once, onto', 'pods', 'hosts', '$ an hour', 'over the bound'],
    packings.map(({ name, pods, hosts, hourlyUsd, boundUsd }) => [
      name,
      String(pods),
      String(hosts),
      hourlyUsd.toFixed(0),
      percent(hourlyUsd / boundUsd - 1),
    ]),
  );

export function dayTable(days: readonly Day[]): string {
  const alarm = days[0]?.paidUsd ?? Number.NaN;
  return table(
    [
      'a day',
      'instance types',
      'host-hours',
      'of them empty',
      '$',
      ': bound',
      'less than alarm',
      'most hosts',
      'wait p50',
      'p90',
      'p99',
      'max',
      'moves',
    ],
    days.map(({ name, offers, hostHours, emptyHours, paidUsd, boundUsd, mostHosts, waits, moves }, index) => [
      name,
      String(offers),
      hostHours.toFixed(0),
      percent(emptyHours / hostHours),
      paidUsd.toFixed(0),
      (paidUsd / boundUsd).toFixed(2),
      index === 0 ? '' : percent(1 - paidUsd / alarm),
      String(mostHosts),
      ...[0.5, 0.9, 0.99, 1].map((share) => `${percentile(waits, share)} s`),
      String(moves),
    ]),
  );
}

export const planTable = (plans: readonly PlanTimes[]): string =>
  table(
    ['a plan for 10,000 waiting tasks over 1,000 hosts', 'hosts bought', 'ms p50', 'max'],
    plans.map(({ name, milliseconds, bought }) => [
      name,
      String(bought),
      percentile(milliseconds, 0.5).toFixed(0),
      percentile(milliseconds, 1).toFixed(0),
    ]),
  );
