import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { agentArchive } from '../../lib/host/agent-archive.ts';
import { type NodePackage, nodeBinary, nodePackages } from '../../lib/host/node-binary.ts';
import { endOfTar, fileInTar, tarOf } from '../../lib/host/tar.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-archive-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const write = (path: string, content: string): string => {
  mkdirSync(join(directory, path, '..'), { recursive: true });
  writeFileSync(join(directory, path), content);
  return join(directory, path);
};

describe('the archive for hosts', () => {
  const make = () => {
    write('agent/agent.mjs', 'the agent');
    write('agent/install.sh', 'echo installed');
    return agentArchive({
      directory: join(directory, 'agent'),
      node: write('node', 'the binary'),
      cache: join(directory, 'cache'),
    });
  };

  it('is unpacked by tar, with what is run executable', () => {
    const { content } = make();
    write('archive', '');
    writeFileSync(join(directory, 'archive'), content);
    mkdirSync(join(directory, 'out'));
    execFileSync('tar', ['-xzf', join(directory, 'archive'), '-C', join(directory, 'out')]);
    expect(readFileSync(join(directory, 'out/bin/node'), 'utf8')).toBe('the binary');
    expect(readFileSync(join(directory, 'out/agent.mjs'), 'utf8')).toBe('the agent');
    expect(execFileSync('sh', ['-c', join(directory, 'out/install.sh')], { encoding: 'utf8' })).toBe('installed\n');
  });

  it('is the same for the same content, and its hash is that of its bytes', () => {
    const one = make();
    rmSync(join(directory, 'cache'), { recursive: true });
    const other = make();
    expect(other.sha256).toBe(one.sha256);
    expect(one.sha256).toBe(createHash('sha256').update(one.content).digest('hex'));
    write('agent/agent.mjs', 'another agent');
    const changed = agentArchive({
      directory: join(directory, 'agent'),
      node: join(directory, 'node'),
      cache: join(directory, 'cache'),
    });
    expect(changed.sha256).not.toBe(one.sha256);
  });

  it('says where it cannot keep what it made', () => {
    write('agent/agent.mjs', '');
    const parts = {
      directory: join(directory, 'agent'),
      node: write('node', ''),
      cache: write('cache', 'no directory'),
    };
    expect(() => agentArchive(parts)).toThrow(
      /cache\/node-\w+\.tar\.gz cannot be written: .*XDG_CACHE_HOME names another/,
    );
  });
});

describe('Node for hosts', () => {
  const binary = Buffer.from('Node of another architecture');
  const archive = gzipSync(
    Buffer.concat([
      tarOf([
        { path: 'package/package.json', isExecutable: false, content: Buffer.from('{}') },
        { path: 'package/bin/node', isExecutable: true, content: binary },
      ]),
      endOfTar,
    ]),
  );
  const wanted: NodePackage = {
    name: 'node-linux-vax',
    version: '24.21.0',
    integrity: `sha512-${createHash('sha512').update(archive).digest('base64')}`,
  };
  const cache = () => join(directory, 'cache');

  /** An npm that packs what the test gives it, and notes how it was called. */
  const placeNpm = (script: string): void => {
    writeFileSync(join(directory, 'archive.tgz'), archive);
    chmodSync(write('bin/npm', `#!/bin/sh\nset -eu\necho "$*" >>'${directory}/calls'\n${script}\n`), 0o755);
    vi.stubEnv('PATH', `${directory}/bin:${process.env.PATH ?? ''}`);
  };
  const packs = () => `cp '${directory}/archive.tgz' "$4/node-linux-vax-24.21.0.tgz"`;

  it('is what package.json and the lock say, for both architectures', () => {
    const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
    const { optionalDependencies } = read('package.json');
    const { packages } = read('package-lock.json');
    for (const { name, version, integrity } of Object.values(nodePackages)) {
      expect(optionalDependencies[name]).toBe(version);
      expect(packages[`node_modules/${name}`]).toMatchObject({ version, integrity });
    }
  });

  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'is the installed one where npm installed it',
    () => {
      const path = nodeBinary(nodePackages.x64, cache());
      expect(execFileSync(path, ['--version'], { encoding: 'utf8' })).toBe(`v${nodePackages.x64.version}\n`);
    },
  );

  it('is fetched once where npm left it out', () => {
    placeNpm(packs());
    expect(readFileSync(nodeBinary(wanted, cache()))).toEqual(binary);
    expect(readFileSync(nodeBinary(wanted, cache()))).toEqual(binary);
    expect(readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n')).toHaveLength(1);
    expect(readdirSync(cache())).toEqual(['node-linux-vax-24.21.0']);
  });

  it.each([
    [
      'another archive than the lock names',
      () => `echo more >>'${directory}/archive.tgz'; ${packs()}`,
      /integrity is sha512-/,
    ],
    ['a registry that cannot be reached', () => 'echo "ENOTFOUND registry" >&2; exit 1', /ENOTFOUND registry/],
  ])('refuses %s, and keeps nothing', (_, script, why) => {
    placeNpm(script());
    expect(() => nodeBinary(wanted, cache())).toThrow(why);
    expect(() => nodeBinary(wanted, cache())).toThrow(
      /npm package node-linux-vax@24\.21\.0, which is not installed and could not be fetched: .* Let npm reach a registry .* gantry:node-linux-vax\./,
    );
    expect(readdirSync(cache())).toEqual([]);
  });
});

describe('a tar archive', () => {
  it('answers the files that it has', () => {
    const content = Buffer.alloc(1300, 'x');
    const tar = Buffer.concat([tarOf([{ path: 'a/b', isExecutable: false, content }]), endOfTar]);
    expect(fileInTar(tar, 'a/b')).toEqual(content);
    expect(fileInTar(tar, 'a')).toBeUndefined();
  });

  it('takes no name that does not fit', () => {
    const path = 'x'.repeat(101);
    expect(() => tarOf([{ path, isExecutable: false, content: Buffer.alloc(0) }])).toThrow(/too long/);
  });
});
