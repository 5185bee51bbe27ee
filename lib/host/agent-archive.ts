/**
 * The archive that hosts fetch: Node, and the built agent with what installs it. Made at synth, so that its SHA-256 is known before
 * anything is published. It is two gzip members one after the other, because the first takes seconds to make and is the same for every
 * release of the agent: it is kept in the cache. Knows nothing of CDK.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { keepFile } from './cache.ts';
import { endOfTar, tarOf } from './tar.ts';

export interface AgentArchive {
  readonly content: Buffer;
  /** Of the content, lower-case hexadecimal. */
  readonly sha256: string;
}

export interface AgentParts {
  /** Of the built agent (`dist/agent`). */
  readonly directory: string;
  /** Path of Node's binary for the hosts. */
  readonly node: string;
  readonly cache: string;
}

export function agentArchive({ directory, node, cache }: AgentParts): AgentArchive {
  const files = readdirSync(directory)
    .toSorted()
    .map((name) => ({
      path: name,
      isExecutable: name.endsWith('.sh'),
      content: readFileSync(join(directory, name)),
    }));
  const content = Buffer.concat([compressedNode(node, cache), gzipSync(Buffer.concat([tarOf(files), endOfTar]))]);
  return { content, sha256: sha256Of(content) };
}

function compressedNode(node: string, cache: string): Buffer {
  const binary = readFileSync(node);
  const kept = join(cache, `node-${sha256Of(binary)}.tar.gz`);
  if (!existsSync(kept)) keepFile(kept, gzipSync(tarOf([{ path: 'bin/node', isExecutable: true, content: binary }])));
  return readFileSync(kept);
}

const sha256Of = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
