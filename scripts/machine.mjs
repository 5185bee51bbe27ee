/**
 * What this machine is: facts only, read once, nothing changed. Everything that set-up decides, it decides on these, so a test
 * can give it another machine.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone that these scripts belong to. */
export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where binaries are extracted to, in `usr/bin` below it. */
export const defaultPrefix = '/opt/gantry';

/** Looked at after PATH: the PATH of a user, and that of root after a plain `su`, often lacks them. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * @typedef {object} Facts
 * @property {string} platform as process.platform
 * @property {string} arch as process.arch
 * @property {string} osName for people
 * @property {string} nodeVersion without the v
 * @property {string | undefined} npm path of npm (a JavaScript file or a program)
 * @property {boolean} isRoot
 * @property {'free' | 'asks' | 'none'} sudo whether commands can be run as root: at once, after a password at the terminal, or not
 * @property {'apt' | 'dnf' | undefined} packageManager
 * @property {string[]} searchPath directories to look for binaries in, in order
 * @property {string} prefix
 * @property {string} repository
 * @property {string[]} missingCapabilities what root lacks here (a container without privileges), by name
 * @property {(path: string) => { device: number, freeMib: number }} freeSpace of the file system that holds the path
 */

/** @returns {Facts} */
export function machineFacts(env = process.env) {
  const prefix = env.GANTRY_PREFIX || defaultPrefix;
  const searchPath = searchDirectories(env.PATH, prefix);
  const isRoot = process.getuid?.() === 0;
  return {
    platform: process.platform,
    arch: process.arch,
    osName: osName(),
    nodeVersion: process.versions.node,
    npm: env.npm_execpath || find('npm', searchPath),
    isRoot,
    sudo: isRoot ? 'none' : sudoKind(searchPath),
    packageManager: ['apt-get', 'dpkg-deb'].every((name) => find(name, searchPath))
      ? 'apt'
      : find('dnf', searchPath) && 'dnf',
    searchPath,
    prefix,
    repository,
    missingCapabilities: isRoot ? missingCapabilities() : [],
    freeSpace,
  };
}

/**
 * The convention for the whole product: a binary is looked up on PATH, then in Gantry's own prefix, then in the system's
 * directories. `local/containerd.ts` (hostToolsPath) does the same for the TypeScript side.
 */
export function searchDirectories(path = '', prefix = defaultPrefix) {
  const own = path.split(delimiter).filter((dir) => isAbsolute(dir) && !dir.includes('node_modules'));
  return [...new Set([...own, join(prefix, 'usr/bin'), ...systemDirectories])];
}

/** The PATH for whatever is started: what the caller had, then the directories that it lacks. */
export function childPath(facts, path = process.env.PATH ?? '') {
  const dirs = path.split(delimiter).filter((dir) => dir !== '');
  return [...new Set([...dirs, ...facts.searchPath])].join(delimiter);
}

/** The path of an executable file, or undefined. */
export function find(name, searchPath) {
  return findAll(name, searchPath)[0];
}

/** Every executable file of that name, in order. An absolute path is looked at as it is. */
export function findAll(name, searchPath) {
  const candidates = isAbsolute(name) ? [name] : searchPath.map((dir) => join(dir, name));
  return candidates.filter(isExecutableFile);
}

function isExecutableFile(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function sudoKind(searchPath) {
  const sudo = find('sudo', searchPath);
  if (sudo === undefined) return 'none';
  if (spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0) return 'free';
  return process.stdin.isTTY ? 'asks' : 'none';
}

function osName() {
  if (process.platform === 'darwin') return 'macOS';
  try {
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}

/** Without these no network namespace and no container can be made; numbers as in linux/capability.h. */
const neededCapabilities = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n, CAP_MKNOD: 27n };

function missingCapabilities() {
  if (process.platform !== 'linux') return [];
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const bits = BigInt(`0x${effective}`);
  return Object.entries(neededCapabilities).flatMap(([name, bit]) => ((bits >> bit) & 1n ? [] : [name]));
}

function freeSpace(path) {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return { device: statSync(existing).dev, freeMib: Math.floor((bavail * bsize) / 2 ** 20) };
}
