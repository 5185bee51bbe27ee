/** The tokens that admit hosts. Only their digests are stored; the text is shown once, to whoever asked for it. */
import { createHash } from 'node:crypto';
import type { ControlDeps } from '../deps.ts';
import { addJoinToken } from '../store/join-tokens.ts';

export interface JoinTokens {
  /** Answers the token's text. A reusable one admits any number of hosts until its time is over. */
  create(options: { cluster: string; reusable: boolean; lifetimeSeconds?: number }): Promise<string>;
}

export const joinTokenDigest = (token: string): string => createHash('sha256').update(token).digest('hex');

export const createJoinTokens = ({
  table,
  clock,
  newId,
}: Pick<ControlDeps, 'table' | 'clock' | 'newId'>): JoinTokens => ({
  async create({ cluster, reusable, lifetimeSeconds }) {
    const token = `gantry-join-${newId()}${newId()}`;
    const createdAt = clock.now();
    const expiresAt = lifetimeSeconds === undefined ? undefined : createdAt + lifetimeSeconds * 1000;
    const change = addJoinToken({ digest: joinTokenDigest(token), cluster, reusable, createdAt }, expiresAt);
    const { outcome } = await table.commit([change]);
    if (outcome !== 'done') throw new Error('the digest of a new join token is taken');
    return token;
  },
});
