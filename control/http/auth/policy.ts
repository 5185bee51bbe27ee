/**
 * The one check of what a principal may do, behind both transports: the action, and each cluster that the input names. A key that Gantry
 * issues may do what it was made with; a principal of IAM may do everything, because IAM has decided on method and path before.
 */
import { z } from 'zod';
import type { Operation } from '../../../core/api/operation.ts';
import { GantryError } from '../../../core/errors.ts';
import { defaultClusterName } from '../../../core/model/cluster.ts';
import { mayTakeEverything } from '../../../core/model/rights.ts';
import { mayUse, type Principal } from '../../operations/context.ts';
import { clusterName } from '../../operations/references.ts';
import type { RunInQuestion } from './task-rights.ts';

/** Throws AccessDeniedException naming what is missing. Of several actions one is enough. */
export function authorize(principal: Principal, action: Operation['action']): void {
  const accepted = typeof action === 'string' ? [action] : action;
  if (accepted.some((one) => principal.actions.includes(one))) return;
  throw new GantryError('AccessDeniedException', `${principal.arn} is not allowed to ${accepted.join(' or ')}.`, {
    hint: `Use a key that has the action '${accepted.join("' or '")}'.`,
  });
}

/** `input` as the operation's schema has parsed it. Throws AccessDeniedException naming the cluster. */
export function authorizeClusters(principal: Principal, operation: Operation, input: object): void {
  if (operation.scope === 'store') authorizeStore(principal, operation.name);
  if (operation.scope === undefined)
    for (const reference of namedClusters(operation, input)) authorizeCluster(principal, reference);
}

/** Of what is of no one cluster. */
export function authorizeStore(principal: Principal, what: string): void {
  if (principal.clusters === 'all') return;
  const message = `${principal.arn} is not allowed to ${what}: it may use certain clusters only.`;
  throw new GantryError('AccessDeniedException', message, { hint: 'Use a key for all clusters.' });
}

/** `reference`: name or ARN. */
export function authorizeCluster(principal: Principal, reference: string): void {
  const name = clusterName(reference);
  if (mayUse(principal, name)) return;
  throw new GantryError('AccessDeniedException', `${principal.arn} is not allowed to use the cluster ${name}.`, {
    field: 'cluster',
    hint: `Use a key that has the cluster '${name}'.`,
  });
}

/** What the tasks of a run take with them. Loaded only where somebody may not take everything. */
export async function authorizeRun(principal: Principal, ...run: RunInQuestion): Promise<void> {
  if (!mayTakeEverything(principal)) (await import('./task-rights.ts')).authorizeTasks(principal, ...run);
}

/** Members by which an input names clusters; what is left out is the cluster `default`. */
const members = ['cluster', 'clusterName', 'clusters'];

function namedClusters({ input: schema }: Operation, input: object): readonly string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return members
    .filter((member) => Object.hasOwn(schema.shape, member))
    .flatMap((member) => {
      const given: unknown = Object.getOwnPropertyDescriptor(input, member)?.value;
      const named = z.union([z.array(z.string()).min(1), z.string()]).safeParse(given);
      return named.success ? named.data : defaultClusterName;
    });
}
