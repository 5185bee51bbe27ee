/**
 * Writes mutating calls down, the refused ones too. What a call changes is committed together with its entry, which says `ok`; that is
 * corrected where the call then ends in an error. A call that changed nothing is written down when it is over. docs/adr/0008.
 */
import { z } from 'zod';
import type { Operation } from '../../core/api/operation.ts';
import { GantryError } from '../../core/errors.ts';
import { defaultClusterName } from '../../core/model/cluster.ts';
import type { OperationContext } from '../operations/context.ts';
import { type AuditEntry, auditId, madeBy, putAuditEntry } from '../store/audit.ts';
import { auditedTable } from './audited-table.ts';
import { shortened, summaryOf } from './summary.ts';

const most = { made: 10, characters: 300 };

/** What a call does with what it is given. */
type Run<Answer> = (context: OperationContext, input: unknown) => Promise<Answer>;

/** Runs the call with a store that writes it down. `read` may throw. */
export async function audited<Answer>(
  operation: Operation,
  context: OperationContext,
  read: () => unknown,
  run: Run<Answer>,
): Promise<Answer> {
  let input: unknown;
  try {
    input = read();
  } catch (thrown) {
    await write(context, failed(entryOf(operation, context, {}), thrown));
    throw thrown;
  }
  return recorded(context, entryOf(operation, context, input), (others) => run(others, input));
}

async function recorded<Answer>(
  context: OperationContext,
  begun: AuditEntry,
  run: (context: OperationContext) => Promise<Answer>,
): Promise<Answer> {
  const { deps } = context;
  let entry = begun;
  const { table, hasChanged } = auditedTable(deps.table, (changes) => {
    const made = madeBy(changes).slice(0, most.made);
    entry = made.length > 0 ? { ...begun, made } : begun;
    return putAuditEntry(entry, deps.settings.auditSeconds);
  });
  try {
    const answer = await run({ ...context, deps: { ...deps, table } });
    if (!hasChanged()) await write(context, begun);
    return answer;
  } catch (thrown) {
    await write(context, failed(hasChanged() ? entry : begun, thrown));
    throw thrown;
  }
}

const failed = (entry: AuditEntry, thrown: unknown): AuditEntry => ({
  ...entry,
  outcome: 'error',
  error: errorOf(thrown),
});

const errorOf = (thrown: unknown): NonNullable<AuditEntry['error']> =>
  thrown instanceof GantryError
    ? { code: thrown.code, message: shortened(thrown.message, most.characters) }
    : { code: 'ServerException', message: 'The log of the control plane has the cause under the request id.' };

function entryOf(operation: Operation, context: OperationContext, input: unknown): AuditEntry {
  const { deps, principal, requestId, caller } = context;
  const at = Math.floor(deps.clock.now());
  const { cluster = clusterLeftOut(operation), ...summary } = summaryOf(input);
  return {
    id: auditId(at, requestId),
    at,
    requestId,
    operation: operation.name,
    principalArn: principal.arn,
    ...caller,
    ...(principal.accessKeyId !== undefined && { accessKeyId: principal.accessKeyId }),
    ...(cluster !== undefined && { cluster }),
    ...summary,
    outcome: 'ok',
  };
}

/** Where a call could name a cluster and does not, it is about this one. */
const clusterLeftOut = ({ input, scope }: Operation): string | undefined =>
  scope === undefined && input instanceof z.ZodObject && Object.hasOwn(input.shape, 'cluster')
    ? defaultClusterName
    : undefined;

/** By itself. The call has ended as it has: it is answered all the same where this cannot be written. */
async function write({ deps, requestId }: OperationContext, entry: AuditEntry): Promise<void> {
  try {
    await deps.table.commit([putAuditEntry(entry, deps.settings.auditSeconds)]);
  } catch (error) {
    deps.log.error({ err: error, requestId, entry }, 'a call could not be written into the audit log');
  }
}
