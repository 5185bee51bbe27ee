/** `gantry audit`: who has changed what, and who was refused. */
import type { Client } from '../../client/client.ts';
import { type AuditEntryView, auditOutcomes } from '../../core/api/audit.ts';
import type { Input } from '../../core/api/operations.ts';
import { compact } from '../../core/compact.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { printAuditTable } from '../render/audit-table.ts';
import { momentNamed } from '../since.ts';

const lastShown = 50;

export const auditCommand = defineCommand({
  name: 'audit',
  summary: 'Show the calls that changed something or were to: who, what, from where, and how it ended',
  arguments: [],
  options: {
    principal: { type: 'string', value: 'WHO', summary: 'Only calls of this user (name or ARN) or access key' },
    operation: { type: 'string', value: 'NAME', multiple: true, summary: 'Only calls of this operation, as RunTask' },
    'in-cluster': { type: 'string', value: 'NAME', summary: 'Only calls about this cluster' },
    outcome: { type: 'string', choices: auditOutcomes, summary: 'Only calls that ended so' },
    since: {
      type: 'string',
      value: 'WHEN',
      summary: 'Only what was called since: 90s, 15m, 2h, 3d, or a time in RFC 3339',
    },
    last: { type: 'integer', short: 'n', value: 'N', min: 1, summary: 'The last N (default: 50, with --since all)' },
  },
  examples: [
    'gantry audit',
    'gantry audit --principal ci --since 2h',
    'gantry audit --outcome error --operation RunTask --operation StopTask',
    "gantry audit --json | jq -r '.entries[] | [.time, .principalArn, .operation] | @tsv'",
  ],
  async run({ client, out, now }, { options }) {
    const { principal, operation, outcome, since, last } = options;
    const filters = compact({
      principal,
      operation: operation && [...operation],
      outcome: auditOutcomes.find((one) => one === outcome),
      cluster: options['in-cluster'],
      since: since === undefined ? undefined : momentNamed(since, now()).toISOString(),
    });
    const entries = await lastEntries(client(), filters, last ?? (since === undefined ? lastShown : Infinity));
    out.data({ entries });
    if (entries.length === 0) out.note('No call is known that would be shown.');
    else printAuditTable(entries, out, now());
    return exitCodes.ok;
  },
});

/** In the order in which they came. */
async function lastEntries(
  client: Client,
  filters: Input<'ListAuditEntries'>,
  most: number,
): Promise<AuditEntryView[]> {
  const entries: AuditEntryView[] = [];
  let nextToken: string | undefined;
  do {
    const limit = Math.min(100, most - entries.length);
    const page = await client.call('ListAuditEntries', compact({ ...filters, limit, nextToken }));
    entries.push(...page.entries);
    nextToken = page.nextToken;
  } while (nextToken !== undefined && entries.length < most);
  return entries.reverse();
}
