/** Access paths of the tokens that admit hosts. */
import { z } from 'zod';
import { isExpired, itemOf, parseItem } from './item.ts';
import { keys } from './keys.ts';
import type { Change, Table } from './table.ts';

const joinTokenSchema = z.object({
  /** SHA-256 of the token, hexadecimal: the token itself is never stored. */
  digest: z.string(),
  /** Admits hosts to this cluster only. */
  cluster: z.string(),
  /** A one-time token is spent by the host that it admits. */
  reusable: z.boolean(),
  createdAt: z.number(),
  spentBy: z.string().optional(),
});
export type JoinToken = z.infer<typeof joinTokenSchema>;

/** The token, unless its time is over. */
export async function getJoinToken(table: Table, digest: string, now: number): Promise<JoinToken | undefined> {
  const item = await table.get(keys.joinToken(digest));
  return item === undefined || isExpired(item, now) ? undefined : parseItem(joinTokenSchema, item);
}

/** `expiresAt` in epoch milliseconds. */
export const addJoinToken = (token: JoinToken, expiresAt: number | undefined): Change => ({
  kind: 'put',
  item: itemOf(
    keys.joinToken(token.digest),
    token,
    expiresAt === undefined ? {} : { expiresAt: Math.ceil(expiresAt / 1000) },
  ),
  when: [{ item: 'absent' }],
});

/** Spends a one-time token on a host, or holds a reusable one: refused where another host was quicker. */
export const spendJoinToken = (token: JoinToken, hostId: string): Change =>
  token.reusable
    ? { kind: 'check', key: keys.joinToken(token.digest), when: [{ item: 'exists' }] }
    : {
        kind: 'update',
        key: keys.joinToken(token.digest),
        set: [{ path: ['spentBy'], value: hostId }],
        when: [{ path: ['spentBy'], is: 'absent' }, { item: 'exists' }],
      };
