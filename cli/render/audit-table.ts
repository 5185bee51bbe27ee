/** `gantry audit`: a row a call, with whose it was, what it was about and how it ended. */
import type { AuditEntryView } from '../../core/api/audit.ts';
import type { Output } from '../output.ts';
import { oneLine } from './text.ts';
import { formatMoment } from './time.ts';

const idLength = 12;

export function printAuditTable(entries: readonly AuditEntryView[], out: Output, now: number): void {
  out.table(
    ['TIME', 'WHO', 'FROM', 'WHAT', 'ABOUT', 'OUTCOME'],
    entries.map((entry) => [
      formatMoment(entry.time, { terminal: out.terminal, now }),
      lastPart(entry.principalArn),
      entry.sourceIp ?? '-',
      entry.operation,
      oneLine(aboutOf(entry)),
      entry.error === undefined ? entry.outcome : out.paint('red', entry.error.code),
    ]),
  );
}

/** `web count=3 startedBy=nightly: 0123456789ab web:7`. */
function aboutOf({ resources, parameters, made = [] }: AuditEntryView): string {
  const asked = [
    ...resources.map(shortened),
    ...Object.entries(parameters).map(([name, value]) => `${name}=${[value].flat().join(',')}`),
  ].join(' ');
  if (made.length === 0) return asked === '' ? '-' : asked;
  return `${asked}: ${made.map(shortened).join(' ')}`;
}

const lastPart = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

/** ARNs by their last part, ids by their beginning. */
function shortened(reference: string): string {
  const name = reference.startsWith('arn:') ? lastPart(reference) : reference;
  return /^[0-9a-f]{32}$/.test(name) ? name.slice(0, idLength) : name;
}
