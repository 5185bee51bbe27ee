/**
 * Brings a fresh machine to where Gantry runs: the npm packages, and the Linux binaries of packages.mjs that are missing.
 * What is there is used as it is; nothing is replaced, no service is started or enabled, and everything that can be known
 * beforehand is checked before anything is changed.
 *
 *   node scripts/setup.mjs [quickstart|test]   installs what the profile needs
 *   node scripts/setup.mjs --print-path        prints the PATH on which the binaries are found
 */
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as apt from './apt.mjs';
import * as dnf from './dnf.mjs';
import { childPath, findAll, machineFacts } from './machine.mjs';
import { installNpmPackages, lockedPackageCount, whyNpmPackages } from './npm.mjs';
import { tools } from './packages.mjs';
import { preflight } from './preflight.mjs';
import { CommandFailed, run, SetupProblem } from './run.mjs';

/**
 * @typedef {object} Context
 * @property {import('./machine.mjs').Facts} facts
 * @property {(line: string) => void} say
 * @property {(command: string, ...args: string[]) => string} asRoot runs it as root and answers what it wrote
 * @property {(command: string, ...args: string[]) => string} asOwner the same for work in the prefix: as root only where it must be
 */

/**
 * @param {'quickstart' | 'test' | 'docker' | 'guest'} profile
 * @param {object} [options]
 * @param {import('./machine.mjs').Facts} [options.facts]
 * @param {(line: string) => void} [options.say]
 * @param {number} [options.port] must be free on 127.0.0.1
 * @param {string} [options.dataDirectory]
 * @throws {SetupProblem} when it cannot go on; nothing was changed if preflight found it
 */
export async function setUp(profile, options = {}) {
  const { facts = machineFacts(), say = (line) => console.log(`set-up: ${line}`) } = options;
  const without = whyWithoutContainers(profile, facts);
  if (without) say(`tests with real containers are left out: ${without}`);
  const needed = without ? [] : tools.filter(({ profiles }) => profiles.includes(profile));
  const plan = {
    runsContainers: !without,
    npmReason: whyNpmPackages(facts),
    missing: needed.filter((tool) => !isThere(tool, facts)),
    dataDirectory: options.dataDirectory ?? '/var/lib/gantry',
    port: options.port,
  };
  const problems = await preflight(facts, plan);
  if (problems.length > 0) throw new SetupProblem(...problems);

  if (plan.npmReason) addNpmPackages(plan.npmReason, facts, say);
  if (plan.missing.length > 0) addTools(plan.missing, contextFor(facts, say));
  if (!plan.npmReason && plan.missing.length === 0) {
    say(`nothing to install: ${['npm packages', ...needed.map(({ name }) => name)].join(', ')} are there.`);
  }
}

/**
 * Why the test profile does without containers, or undefined. (Under CI=true, `npm test` fails for it.)
 */
export function whyWithoutContainers(profile, facts) {
  if (profile !== 'test') return undefined;
  if (facts.platform !== 'linux') return `they need Linux, this is ${facts.osName}`;
  return facts.isRoot ? undefined : 'they need root';
}

/**
 * @param {import('./packages.mjs').Tool} tool
 * @param {import('./machine.mjs').Facts} facts
 */
function isThere({ binaries, mustBeStatic }, { searchPath }) {
  return binaries.every((names) =>
    names
      .split('|')
      .flatMap((name) => findAll(name, searchPath))
      .some((path) => !mustBeStatic || isStatic(path)),
  );
}

/** ldd fails on a static binary, or says so. */
function isStatic(path) {
  try {
    return /statically linked/.test(run('ldd', [path]));
  } catch (error) {
    if (error instanceof CommandFailed) return true;
    throw error;
  }
}

/**
 * The npm packages alone, for what runs no container.
 *
 * @param {import('./machine.mjs').Facts} facts
 */
export function setUpNpm(facts, say = (line) => console.log(`set-up: ${line}`)) {
  const reason = whyNpmPackages(facts);
  if (reason) addNpmPackages(reason, facts, say);
}

function addNpmPackages(reason, facts, say) {
  const started = Date.now();
  say(
    `npm install: ${lockedPackageCount(facts.repository)} packages of package-lock.json into node_modules (${reason})`,
  );
  installNpmPackages(facts.npm ?? 'npm', facts.repository);
  say(`npm packages installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/**
 * @param {import('./packages.mjs').Tool[]} missing
 * @param {Context} context
 */
function addTools(missing, context) {
  const { facts, say } = context;
  const wanted = knownTools(missing, context);
  const named = (tool) => `${tool.name} (${tool.purpose})`;
  if (wanted.length > 0) say(`missing on this machine: ${wanted.map(named).join(', ')}`);
  if (facts.packageManager === 'dnf') {
    if (wanted.length > 0) dnf.install([...new Set(wanted.map((tool) => tool.dnf))], context);
  } else {
    const installed = wanted.filter((tool) => tool.apt.extract === undefined);
    const extracted = wanted.filter((tool) => tool.apt.extract !== undefined);
    if (installed.length > 0) apt.install([...new Set(installed.map((tool) => tool.apt.package))], context);
    if (extracted.length > 0) apt.extract(extracted, context);
  }
  const still = wanted.filter((tool) => !isThere(tool, facts));
  if (still.length > 0) {
    throw new SetupProblem({
      what: `${still.map(({ name }) => name).join(', ')} cannot be found although the packages are there.`,
      why: `Looked for ${still.flatMap(({ binaries }) => binaries).join(', ')} in ${facts.searchPath.join(', ')}.`,
      todo: 'Install them by hand, on PATH, and run the command again.',
    });
  }
  if (wanted.length > 0) say(`${wanted.map(({ name }) => name).join(', ')} installed; no service was started.`);
}

/** Those that the package manager has; goes on without the optional ones that it lacks, and says what that means. */
function knownTools(missing, context) {
  const { packageManager, osName } = context.facts;
  const packageOf = (tool) => (packageManager === 'dnf' ? tool.dnf : tool.apt.package);
  const names = [...new Set(missing.map(packageOf).filter((name) => name !== undefined))];
  const manager = { apt, dnf }[packageManager];
  const unknown = manager ? manager.unknownPackages(names, context) : new Set(names);
  const lacking = missing.filter((tool) => packageOf(tool) === undefined || unknown.has(packageOf(tool)));
  const required = lacking.filter(({ optional }) => !optional);
  if (required.length > 0) {
    throw new SetupProblem({
      what: `The packages ${required.map(packageOf).join(', ')} are not known to this machine's package manager.`,
      why: `${required.map(({ name, purpose }) => `${name}: ${purpose}`).join('; ')}. This is ${osName}.`,
      todo: 'Check the package sources and the network, or install the binaries by hand, on PATH.',
    });
  }
  for (const { name, without } of lacking)
    context.say(`going on without ${name}, for which there is no package here: ${without}`);
  return missing.filter((tool) => !lacking.includes(tool));
}

/** @returns {Context} */
function contextFor(facts, say) {
  const direct = (command, ...args) => run(command, args);
  const asRoot = facts.isRoot ? direct : (...argv) => run('sudo', argv);
  return { facts, say, asRoot, asOwner: isWritable(facts.prefix) ? direct : asRoot };
}

function isWritable(path) {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a script's work; what stops it is told in sentences, and the exit code is 1. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SetupProblem) && !(error instanceof CommandFailed)) throw error;
    console.error(error instanceof SetupProblem ? error.message : `set-up: ${error.message}`);
    process.exitCode = 1;
  }
}

/** Whether a script was started by name, not imported by another. */
export function isStarted(moduleUrl) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(moduleUrl);
}

if (isStarted(import.meta.url)) {
  await main(async () => {
    const [argument = 'quickstart', ...rest] = process.argv.slice(2);
    if (argument === '--print-path') return console.log(childPath(machineFacts()));
    if (rest.length > 0 || (argument !== 'quickstart' && argument !== 'test')) {
      throw new SetupProblem({
        what: `set-up does not know ${process.argv.slice(2).join(' ')}.`,
        why: 'It takes one profile, quickstart or test, or --print-path.',
        todo: 'node scripts/setup.mjs quickstart',
      });
    }
    await setUp(argument);
  });
}
