/** The Node 24 that runs everything written in TypeScript, and how a script becomes such a program. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { handOver } from '../bin/hand-over.mjs';
import { childPath, find } from './machine.mjs';
import { SetupProblem } from './run.mjs';

/** node:sqlite is marked experimental in Node 24; a warning on every start would be noise. */
const nodeOptions = ['--disable-warning=ExperimentalWarning'];

/**
 * The Node 24 of the npm packages; where there is none for the system (macOS), the one that runs this, if it is new enough.
 *
 * @param {import('./machine.mjs').Facts} facts
 */
export function node24({ repository, nodeVersion, osName }) {
  const fromPackages = join(repository, 'node_modules/.bin/node');
  if (existsSync(fromPackages)) return fromPackages;
  if (Number.parseInt(nodeVersion, 10) >= 24) return process.execPath;
  throw new SetupProblem({
    what: `Node 24 is needed, and this is Node ${nodeVersion}.`,
    why: `The npm packages bring Node 24 for Linux alone; this is ${osName}.`,
    todo: 'Install Node 24 and run the command again.',
  });
}

/**
 * Becomes `node <entry> <args>` under Node 24, as root where this is not root.
 *
 * @param {import('./machine.mjs').Facts} facts
 * @param {string} entry relative to the repository
 * @param {string[]} args
 */
export function becomeProgram(facts, entry, args) {
  const node = node24(facts);
  const nodeArgs = [...nodeOptions, join(facts.repository, entry), ...args];
  const env = { ...process.env, PATH: childPath(facts) };
  if (facts.isRoot) return handOver(node, nodeArgs, env);
  // sudo gives its own environment: what the product reads is handed through by env.
  const kept = Object.entries(env).filter(([name]) => /^(PATH|TERM|NO_COLOR|COLUMNS|GANTRY_.*)$/.test(name));
  const sudo = find('sudo', facts.searchPath) ?? '/usr/bin/sudo';
  handOver(sudo, ['env', ...kept.map(([name, value]) => `${name}=${value}`), node, ...nodeArgs], env);
}
