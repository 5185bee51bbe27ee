/**
 * Tells of calls that placed less than they asked for, or nothing: the store does not change by a refusal, so whoever refuses writes it
 * down. One write for each such call, and for its repetitions by the same client none.
 */
import { createHash } from 'node:crypto';
import type { Input, Output } from '../../core/api/operations.ts';
import { clusterArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { plural } from '../../core/text.ts';
import type { OperationContext } from '../operations/context.ts';
import { clusterName } from '../operations/references.ts';
import { addEvent } from '../store/events.ts';
import { eventUntold } from '../store/table-shape.ts';
import { eventsTopic, keptEvent } from './keep.ts';

export type Call = Pick<Input<'RunTask'>, 'cluster' | 'taskDefinition' | 'startedBy' | 'group'> & {
  readonly operation: 'RunTask' | 'StartTask';
};
export type Placed = Pick<Output<'RunTask'>, 'tasks' | 'failures'>;

const mostFailuresTold = 10;

/** Some of what was asked for was not placed. */
export function tellOfFailures(context: OperationContext, call: Call, { tasks, failures }: Placed): Promise<void> {
  const why = failures[0]?.detail ?? failures[0]?.reason ?? '';
  const what = `${failures.length} of ${plural(tasks.length + failures.length, 'task')}`;
  return tell(context, call, `${call.operation} of ${call.taskDefinition} refused ${what}: ${why}`, {
    requested: tasks.length + failures.length,
    refused: failures.length,
    failures: failures.slice(0, mostFailuresTold),
  });
}

/** Nothing of it was done. In a cluster that does not exist nothing is told. */
export async function tellOfError(context: OperationContext, call: Call, error: unknown): Promise<void> {
  if (!(error instanceof GantryError) || error.code === 'ClusterNotFoundException') return;
  const { code, message, field } = error;
  await tell(context, call, `${call.operation} of ${call.taskDefinition} refused: ${message}`, {
    error: { code, message, field },
  });
}

async function tell(
  { deps, principal, requestId, invocationId }: OperationContext,
  { operation, taskDefinition, startedBy, group, cluster: reference }: Call,
  headline: string,
  more: object,
): Promise<void> {
  const { realm, clock, journal, settings, table, feed, log, activate } = deps;
  if (!journal.isKept) return;
  const [cluster, at] = [clusterName(reference), clock.now()];
  const resources = [clusterArn(realm, cluster)];
  const detail = { clusterArn: resources[0], operation, taskDefinition, startedBy, group, ...more };
  const told = { ...detail, principalArn: principal.arn, requestId, updatedAt: new Date(at) };
  const event = {
    detailType: 'Gantry Placement Refused' as const,
    cluster,
    subject: createHash('sha256')
      .update(`${cluster}/${invocationId ?? requestId}`)
      .digest('hex')
      .slice(0, 32),
    headline,
    resources,
    detail: JSON.stringify(told),
  };
  try {
    const kept = { ...keptEvent(event, { id: journal.nextId(), at }), [eventUntold]: true };
    await table.commit([addEvent(kept, 'refusal', settings.retentionSeconds)], { rereads: true });
    feed.changed(eventsTopic(cluster));
    activate('deliver-webhooks', cluster);
  } catch (error) {
    // The refusal itself must reach its caller.
    log.error({ err: error, requestId }, 'a refusal could not be written down');
  }
}
