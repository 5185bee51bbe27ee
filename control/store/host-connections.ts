/**
 * Access paths of the connections that hosts have to a gateway, which is told of them by id: the connection of a host, and the host of a
 * connection. Both go by themselves some time after the gateway has closed the longest of connections.
 */
import { z } from 'zod';
import { isExpired, itemOf, parseItem, parseOptional } from './item.ts';
import { keys } from './keys.ts';
import { getAll } from './read-all.ts';
import type { Change, Condition, Table } from './table.ts';

const hostConnectionSchema = z.object({
  hostId: z.string(),
  connectionId: z.string(),
  /** When the gateway took it (epoch milliseconds): the newest is the host's. */
  connectedAt: z.number(),
});
export type HostConnection = z.infer<typeof hostConnectionSchema>;

/** API Gateway closes a connection after two hours. */
const lifetimeSeconds = 3 * 3600;

export const getHostConnection = async (table: Table, hostId: string): Promise<HostConnection | undefined> =>
  parseOptional(hostConnectionSchema, await table.get(keys.hostConnection(hostId)));

/** Those of these hosts that may still be open. */
export async function openConnections(
  table: Table,
  hostIds: readonly string[],
  now: number,
): Promise<HostConnection[]> {
  const items = await getAll(table, hostIds.map(keys.hostConnection));
  return items.filter((item) => !isExpired(item, now)).map((item) => parseItem(hostConnectionSchema, item));
}

/** Whose connection this is, if it is still the host's or was. */
export const getConnection = async (table: Table, connectionId: string): Promise<HostConnection | undefined> =>
  parseOptional(hostConnectionSchema, await table.get(keys.connectionHost(connectionId)));

/** Replaces the connection that was seen; refused where the host has another by now. */
export function addConnection(connection: HostConnection, seen: HostConnection | undefined): Change[] {
  const extras = { expiresAt: Math.ceil(connection.connectedAt / 1000) + lifetimeSeconds };
  const isAsSeen: Condition =
    seen === undefined ? { item: 'absent' } : { path: ['connectionId'], is: '=', value: seen.connectionId };
  return [
    { kind: 'put', item: itemOf(keys.hostConnection(connection.hostId), connection, extras), when: [isAsSeen] },
    { kind: 'put', item: itemOf(keys.connectionHost(connection.connectionId), connection, extras), when: [] },
  ];
}

/** Takes the host's connection away; refused where the host has another by now. */
export const removeConnection = ({
  hostId,
  connectionId,
}: Pick<HostConnection, 'hostId' | 'connectionId'>): Change => ({
  kind: 'delete',
  key: keys.hostConnection(hostId),
  when: [{ path: ['connectionId'], is: '=', value: connectionId }],
});

/** Nobody will ask whose it was any more. */
export const forgetConnection = (connectionId: string): Change => ({
  kind: 'delete',
  key: keys.connectionHost(connectionId),
  when: [],
});
