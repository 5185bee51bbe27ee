import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callScript } from '../support/call-script.ts';

type Packages = Record<
  string,
  { integrity: string; optional?: boolean; os?: string[]; cpu?: string[]; libc?: string[] }
>;

/** What set-up says about a clone with this lock and these packages; undefined installed: no (whole) node_modules. */
function whyNpmPackages(locked: Packages, installed: Packages | undefined): unknown {
  const repository = mkdtempSync(join(tmpdir(), 'gantry-npm-'));
  try {
    mkdirSync(join(repository, 'node_modules'));
    writeFileSync(join(repository, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...locked } }));
    if (installed !== undefined) {
      writeFileSync(join(repository, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
    }
    return callScript('npm.mjs', 'whyNpmPackages', { repository, platform: 'linux', arch: 'x64' });
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
}

describe('npm packages', () => {
  const a = { 'node_modules/a': { integrity: 'sha512-a' } };
  const forLinux = { 'node_modules/n': { integrity: 'sha512-n', optional: true, os: ['linux'], cpu: ['x64'] } };
  const forMac = { 'node_modules/m': { integrity: 'sha512-m', optional: true, os: ['darwin'], cpu: ['x64'] } };
  const forMusl = { 'node_modules/l': { ...forLinux['node_modules/n'], libc: ['musl'] } };

  it('are taken as they are where they are the locked ones', () => {
    expect(whyNpmPackages({ ...a, ...forLinux, ...forMac, ...forMusl }, { ...a, ...forLinux })).toBeUndefined();
    expect(whyNpmPackages(a, { ...a, ...forMac })).toBeUndefined(); // The lock need not know every system's variants.
  });

  it.each<[string, Packages, Packages | undefined, string]>([
    ['never installed, or an installation was interrupted', a, undefined, 'half-done'],
    ['one is missing', { ...a, ...forLinux }, forLinux, 'node_modules/a'],
    ['one for this machine is missing', { ...a, ...forLinux }, a, 'node_modules/n'],
    ['one has another version', a, { 'node_modules/a': { integrity: 'sha512-b' } }, 'node_modules/a'],
  ])('are installed where %s', (_, locked, installed, reason) => {
    expect(whyNpmPackages(locked, installed)).toContain(reason);
  });
});
