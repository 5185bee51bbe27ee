/** What is shared by name and credentials: nobody gets an image through somebody else's rights. */
import { createHash } from 'node:crypto';
import type { Credentials } from './registry.ts';

export function rightsKey(name: string, credentials: Credentials | undefined): string {
  if (credentials === undefined) return name;
  const { username, password } = credentials;
  return `${name} ${createHash('sha256')
    .update(JSON.stringify([username, password]))
    .digest('hex')}`;
}
