/** How requests name hosts: references.ts, and by name. Not all that name things name hosts, so that this is loaded by those that do. */
import { hostNamePattern } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import { hostIdByName } from '../store/hosts.ts';
import { isId, type Named, partWithin } from './references.ts';

/** The id of the host that is meant: by id, ARN or name; undefined where no host has that name. Looks names up. */
export async function hostIdMeant(
  deps: Pick<ControlDeps, 'realm' | 'table'>,
  cluster: string,
  reference: string,
  field = 'containerInstance',
): Promise<string | undefined> {
  const id = partWithin(deps, cluster, 'container-instance', reference, field);
  if (isId(id)) return id;
  return hostNamePattern.test(reference) ? hostIdByName(deps.table, cluster, reference) : undefined;
}

export const hostsMeant = (
  deps: Pick<ControlDeps, 'realm' | 'table'>,
  cluster: string,
  references: readonly string[],
): Promise<Named[]> =>
  Promise.all(
    references.map(async (reference, index) => ({
      reference,
      id: await hostIdMeant(deps, cluster, reference, `containerInstances[${index}]`),
    })),
  );
