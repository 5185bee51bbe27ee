/** The tokens that admit hosts. Only their digests are stored; the text is shown once, to whoever asked for it. */
import { createHash } from 'node:crypto';
import { joinTokenText, secretPart } from '../../core/join-token.ts';
import type { ControlDeps } from '../deps.ts';
import { addJoinToken } from '../store/join-tokens.ts';

export interface JoinTokens {
  /** Answers the token's text. A reusable one admits any number of hosts until its time is over. */
  create(options: { cluster: string; reusable: boolean; lifetimeSeconds?: number }): Promise<string>;
}

export const joinTokenDigest = (token: string): string => createHash('sha256').update(secretPart(token)).digest('hex');

export const createJoinTokens = ({
  table,
  clock,
  newId,
  settings,
}: Pick<ControlDeps, 'table' | 'clock' | 'newId' | 'settings'>): JoinTokens => ({
  async create({ cluster, reusable, lifetimeSeconds }) {
    const token = joinTokenText(`${newId()}${newId()}`, settings.certificatePin);
    const createdAt = clock.now();
    const expiresAt = lifetimeSeconds === undefined ? undefined : createdAt + lifetimeSeconds * 1000;
    const change = addJoinToken({ digest: joinTokenDigest(token), cluster, reusable, createdAt }, expiresAt);
    const { outcome } = await table.commit([change]);
    if (outcome !== 'done') throw new Error('the digest of a new join token is taken');
    return token;
  },
});
