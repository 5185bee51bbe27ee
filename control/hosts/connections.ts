/**
 * Which connection of a gateway is a host's. The gateway tells of beginnings and ends in any order, so the newest connection is the
 * host's, and the end of an older one never touches it. A connection only wakes: a host without one fetches on its timer.
 */
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import {
  addConnection,
  forgetConnection,
  getConnection,
  getHostConnection,
  type HostConnection,
  removeConnection,
} from '../store/host-connections.ts';

type Deps = Pick<ControlDeps, 'table' | 'random' | 'sleep'>;

/** Answers whether it is the host's connection now: not where the host has a newer one. */
export function connectionOpened(deps: Deps, connection: HostConnection): Promise<boolean> {
  return attempt(deps, { most: 10, what: `the connection of host ${connection.hostId}` }, async () => {
    const seen = await getHostConnection(deps.table, connection.hostId);
    if (seen !== undefined && seen.connectedAt > connection.connectedAt) return false;
    const { outcome } = await deps.table.commit(addConnection(connection, seen));
    return outcome === 'done' ? true : undefined;
  });
}

/** Repeatable; a connection that is not known has been forgotten already. */
export async function connectionClosed(deps: Deps, connectionId: string): Promise<void> {
  const connection = await getConnection(deps.table, connectionId);
  if (connection === undefined) return;
  await attempt(deps, { most: 10, what: `the connection of host ${connection.hostId}` }, async () => {
    const { outcome } = await deps.table.commit([removeConnection(connection), forgetConnection(connectionId)]);
    if (outcome === 'conflict') return undefined;
    // The host has a newer connection, or none: then only this one's name is left to forget.
    if (outcome === 'refused') await deps.table.commit([forgetConnection(connectionId)]);
    return 'closed';
  });
}
