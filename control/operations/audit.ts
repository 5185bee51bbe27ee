/** ListAuditEntries: pages of the calls that changed something or were to, the newest first. */
import { z } from 'zod';
import type { Input } from '../../core/api/operations.ts';
import { GantryError } from '../../core/errors.ts';
import { type AuditEntry, auditEntries, auditIdsFrom } from '../store/audit.ts';
import type { Handlers } from './context.ts';
import { decodeToken, nextTokenOf, pageSize } from './paging.ts';
import { clusterName } from './references.ts';

/** Looked at for one page: what no filter lets through costs as much as what it does. */
const mostLookedAt = 1000;

const positionSchema = z.string().regex(/^\d{15}-[0-9a-f]{16}$/);

export const listAuditEntries: Handlers['ListAuditEntries'] = async ({ deps }, input) => {
  const { table, clock, settings } = deps;
  if (settings.auditSeconds === 0) throw noAuditLog();
  const { since, until, nextToken } = input;
  const size = pageSize(input.limit, 'limit');
  const end = until === undefined ? undefined : auditIdsFrom(Date.parse(until));
  const after = nextToken === undefined ? end : decodeToken(positionSchema, nextToken);
  const floor = since === undefined ? '' : auditIdsFrom(Date.parse(since));
  const options = { now: clock.now(), descending: true, pageSize: Math.min(size, 25) };
  const entries: AuditEntry[] = [];
  let [looked, last] = [0, after];
  for await (const { position, entry } of auditEntries(table, { ...options, ...(after !== undefined && { after }) })) {
    if (position < floor) break;
    if (entries.length === size || looked === mostLookedAt)
      return { entries: entries.map(viewOf), ...nextTokenOf(last) };
    looked += 1;
    last = position;
    if (isWanted(entry, input)) entries.push(entry);
  }
  return { entries: entries.map(viewOf) };
};

const noAuditLog = (): GantryError =>
  new GantryError('UnsupportedFeatureException', 'This control plane keeps no audit log.', {
    hint: 'It is switched off: `auditRetention` on AWS, `--audit-days` of `gantry up`.',
  });

type Wish = Input<'ListAuditEntries'>;

const isWanted = (entry: AuditEntry, { principal, operation, cluster, outcome }: Wish): boolean =>
  (principal === undefined || isOf(entry, principal)) &&
  (operation === undefined || operation.includes(entry.operation)) &&
  (cluster === undefined || entry.cluster === clusterName(cluster)) &&
  (outcome === undefined || entry.outcome === outcome);

const isOf = ({ principalArn, accessKeyId }: AuditEntry, principal: string): boolean =>
  principal === principalArn || principal === accessKeyId || principalArn.endsWith(`/${principal}`);

const viewOf = ({ at, ...entry }: AuditEntry) => ({ ...entry, time: new Date(at) });
