/**
 * The npm packages: whether those in node_modules are the ones of package-lock.json, and their installation when not.
 * By `npm install --no-save`, which keeps to the lock, checks its hashes and changes no file of the repository. Not by `npm ci`:
 * it demands an entry for every other system's variant of an optional package, and a registry need not have them all.
 */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './run.mjs';

/**
 * Why packages are to be installed, or undefined. npm writes node_modules/.package-lock.json last, so an interrupted installation shows.
 *
 * @param {Pick<import('./machine.mjs').Facts, 'repository' | 'platform' | 'arch'>} facts
 * @returns {string | undefined}
 */
export function whyNpmPackages(facts) {
  const installedFile = join(facts.repository, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return 'node_modules is not there, or was left half-done';
  const locked = packagesOf(join(facts.repository, 'package-lock.json'));
  const installed = packagesOf(installedFile);
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '') continue; // The project itself.
    const there = installed[path];
    if (there === undefined ? wanted(entry, facts) : there.integrity !== entry.integrity) {
      return `${path} is not what package-lock.json says`;
    }
  }
  return undefined;
}

/** npm leaves optional packages for other machines out; by libc too, which only npm itself knows. */
function wanted(entry, { platform, arch }) {
  if (!entry.optional && !entry.devOptional) return true;
  if (entry.libc !== undefined || entry.os === undefined || entry.cpu === undefined) return false;
  return entry.os.includes(platform) && entry.cpu.includes(arch);
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}

export function lockedPackageCount(repository) {
  return Object.keys(packagesOf(join(repository, 'package-lock.json'))).length - 1;
}

/**
 * @param {string} npm path of npm, a JavaScript file or a program
 * @param {string} repository
 */
export function installNpmPackages(npm, repository) {
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const isScript = /\.[cm]?js$/.test(npm);
  // `npm run` puts node_modules/.bin first in PATH; the Node there may be replaced.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => !dir.includes('node_modules'))
    .join(delimiter);
  run(isScript ? process.execPath : npm, isScript ? [npm, ...args] : args, {
    cwd: repository,
    env: { ...process.env, PATH: path },
  });
}
