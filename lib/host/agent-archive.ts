/**
 * The archive that hosts fetch: the built agent with what installs it, and Node. Made at synth and kept in the cache, so that its
 * SHA-256 is known before anything is published. Knows nothing of CDK.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { keepFile } from './cache.ts';
import { tarOf } from './tar.ts';

export interface AgentArchive {
  readonly path: string;
  /** Of the file, lower-case hexadecimal. */
  readonly sha256: string;
}

export interface AgentParts {
  /** Of the built agent (`dist/agent`). */
  readonly directory: string;
  /** Path of Node's binary for the hosts. */
  readonly node: string;
  readonly cache: string;
}

/** Every cluster of an app asks for the same one, and hashing Node takes a while. */
const made = new Map<string, AgentArchive>();

export function agentArchive({ directory, node, cache }: AgentParts): AgentArchive {
  const key = JSON.stringify([directory, node, cache]);
  const known = made.get(key);
  if (known !== undefined && existsSync(known.path)) return known;
  const tar = tarOf([
    { path: 'bin/node', isExecutable: true, content: readFileSync(node) },
    ...readdirSync(directory).map((name) => ({
      path: name,
      isExecutable: name.endsWith('.sh'),
      content: readFileSync(join(directory, name)),
    })),
  ]);
  const path = join(cache, `agent-${sha256Of(tar)}.tar.gz`);
  if (!existsSync(path)) keepFile(path, gzipSync(tar));
  const archive = { path, sha256: sha256Of(readFileSync(path)) };
  made.set(key, archive);
  return archive;
}

const sha256Of = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
