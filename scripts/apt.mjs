/**
 * Debian and its kin: packages installed by apt-get, and binaries copied out of packages that are not installed.
 * It starts no service, removes nothing (apt-get is told to refuse), and leaves nothing half-written in the prefix.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { libraryPackages } from './packages.mjs';
import { CommandFailed, run } from './run.mjs';

/** No questions, no restarts of services, and messages in the language that is looked for here. */
const variables = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1', LC_ALL: 'C' };
const quietly = { ...process.env, ...variables };

/** By env, because sudo drops the environment. */
const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);

/**
 * @param {string[]} names of packages
 * @param {import('./setup.mjs').Context} context
 * @returns {Set<string>} those of them that apt does not know, after its lists were refreshed where needed
 */
export function unknownPackages(names, { asRoot, say }) {
  let unknown = notInLists(names);
  if (unknown.size > 0) {
    say(`apt-get update (not in the package lists yet: ${[...unknown].join(', ')})`);
    update(asRoot);
    unknown = notInLists(names);
  }
  return unknown;
}

function notInLists(names) {
  const unknown = new Set(names);
  // The policy of a package without a candidate, or one that is not known at all, names none.
  for (const [, name, candidate] of run('apt-cache', ['policy', ...names], {
    env: { ...quietly, LC_ALL: 'C' },
  }).matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: (.*)$/gm)) {
    if (candidate !== '(none)') unknown.delete(name);
  }
  return unknown;
}

/** @param {import('./setup.mjs').Context['asRoot']} asRoot */
function update(asRoot) {
  asRoot('env', ...assignments, 'apt-get', 'update', '-qq');
}

/**
 * What apt-get would fetch for these arguments, from its own print-out of addresses, names and sizes.
 *
 * @param {string[]} args
 */
function toFetch(args) {
  const printed = run('apt-get', [...args, '--print-uris', '-qq', '-y'], { env: quietly });
  const files = [...printed.matchAll(/^'.*' ([^_\s]+)\S* (\d+) /gm)];
  return {
    names: files.map(([, name = '']) => name),
    mib: (files.reduce((sum, [, , bytes]) => sum + Number(bytes), 0) / 2 ** 20).toFixed(1),
  };
}

/**
 * @param {string[]} names
 * @param {import('./setup.mjs').Context} context
 */
export function install(names, { asRoot, say }) {
  const options = ['install', '--no-install-recommends', '--no-remove'];
  withFreshLists(asRoot, say, () => {
    const { names: all, mib } = toFetch([...options, ...names]);
    const others = all.filter((name) => !names.includes(name));
    const brings = others.length > 0 ? ` with ${others.join(', ')}` : '';
    say(`installing ${names.join(', ')}${brings} (apt-get, ${mib} MiB to fetch)`);
    asRoot('env', ...assignments, 'apt-get', ...options, '-qq', '-y', '-o', 'DPkg::Lock::Timeout=300', ...names);
  });
}

/**
 * Copies the files of packages into the prefix without installing the packages, once they were seen to run.
 *
 * @param {import('./packages.mjs').Tool[]} tools
 * @param {import('./setup.mjs').Context} context
 */
export function extract(tools, context) {
  const { asRoot, asOwner, facts, say } = context;
  const names = tools.map(({ apt }) => apt.package);
  const contents = tools.flatMap(({ apt }) => apt.extract ?? []);
  const downloads = mkdtempSync(join(tmpdir(), 'gantry-packages-'));
  // Beside its destination, so that each file arrives there whole, by a rename.
  const staging = join(facts.prefix, `${stagingName}${process.pid}`);
  try {
    removeAbandoned(facts.prefix, asOwner);
    withFreshLists(asRoot, say, () => {
      const { mib } = toFetch(['download', ...names]);
      say(`extracting ${names.join(', ')} into ${facts.prefix}, not installed (${mib} MiB to fetch)`);
      // The download directory is ours alone, so apt's own user may not write there.
      run('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', ...names], { cwd: downloads, env: quietly });
    });
    asOwner('mkdir', '-p', '-m', '755', join(facts.prefix, 'usr/bin'), staging);
    for (const file of readdirSync(downloads)) asOwner('dpkg-deb', '-x', join(downloads, file), staging);
    for (const content of contents) prove(content, staging, context);
    for (const file of contents.flatMap(({ files }) => files)) {
      asOwner('mv', '-f', join(staging, file), join(facts.prefix, 'usr/bin', basename(file)));
    }
  } finally {
    rmSync(downloads, { recursive: true, force: true });
    asOwner('rm', '-rf', staging);
  }
}

const stagingName = '.incoming-';

/** What a set-up that was interrupted left; one that still runs is left alone. */
function removeAbandoned(prefix, asOwner) {
  const names = existsSync(prefix) ? readdirSync(prefix).filter((name) => name.startsWith(stagingName)) : [];
  for (const name of names) {
    if (!existsSync(`/proc/${name.slice(stagingName.length)}`)) asOwner('rm', '-rf', join(prefix, name));
  }
}

/** Runs each extracted binary once; a shared library that it misses is installed first. */
function prove({ files, proof }, staging, context) {
  for (const file of files) {
    const libraries = missingLibraries(ldd(join(staging, file)));
    const packages = libraries.flatMap((library) => libraryPackages.get(library) ?? []);
    if (packages.length > 0) install(packages, context);
  }
  for (const [file, ...args] of proof) run(join(staging, file), args);
}

function ldd(file) {
  try {
    return run('ldd', [file]);
  } catch (error) {
    if (error instanceof CommandFailed) return ''; // A static binary has no libraries to list; the proof will tell.
    throw error;
  }
}

/** @param {string} lddOutput */
export function missingLibraries(lddOutput) {
  return [...lddOutput.matchAll(/^\s*(\S+) => not found$/gm)].map(([, library = '']) => library);
}

/** Package lists that are old name files that the mirror no longer has: then they are refreshed and the work is tried once more. */
function withFreshLists(asRoot, say, work) {
  try {
    work();
  } catch (error) {
    if (!(error instanceof CommandFailed) || !/Failed to fetch|404|Unable to fetch/.test(error.output)) throw error;
    say('apt-get update (the package lists are old)');
    update(asRoot);
    work();
  }
}
