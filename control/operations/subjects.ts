/** The one task or host that somebody wants to hear of. It need not exist any more: what happened to it is told for days. */
import { parameterFault } from '../../core/model/faults.ts';
import type { ControlDeps } from '../deps.ts';
import { hostIdMeant } from './host-references.ts';
import { taskIdMeant } from './references.ts';

interface Wish {
  readonly task?: string | undefined;
  readonly host?: string | undefined;
}

export interface Subject {
  readonly type: 'task' | 'host';
  readonly id: string;
}

/** Throws InvalidParameterException where both are named, or what is named can be none. */
export async function subjectNamed(
  deps: ControlDeps,
  cluster: string,
  { task, host }: Wish,
): Promise<Subject | undefined> {
  if (task !== undefined && host !== undefined)
    throw parameterFault('host', 'Name a task or a host, not both.', 'Ask for each of them.');
  if (task !== undefined) return { type: 'task', id: taskIdMeant(deps, cluster, task) ?? notMeant('task', task) };
  if (host === undefined) return undefined;
  return { type: 'host', id: (await hostIdMeant(deps, cluster, host, 'host')) ?? notMeant('host', host) };
}

function notMeant(field: 'task' | 'host', reference: string): never {
  throw parameterFault(field, `${reference} names no ${field}.`, 'Give its id or its ARN.');
}
