/** Runs the programs that set-up needs, one after the other, quietly: output is shown only when one fails. */
import { spawnSync } from 'node:child_process';

/**
 * What stops set-up, told as what, why and what to do; several at once, so that nobody has to run it again only to hear the next.
 * Anything else thrown, but CommandFailed, is a defect of these scripts.
 */
export class SetupProblem extends Error {
  /** @param {{ what: string, why: string, todo: string }[]} problems */
  constructor(...problems) {
    super(problems.map(({ what, why, todo }) => `${what}\n  Why: ${why}\n  Do:  ${todo}`).join('\n'));
  }
}

/** A program that ended with another code than 0. */
export class CommandFailed extends Error {
  constructor(command, status, output) {
    super(`${command} ended with ${status}:\n${output}`);
    this.output = output;
  }
}

/**
 * Runs a program to its end and answers its standard output. Throws CommandFailed with both outputs when it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    ...options,
    // sudo asks for its password at the terminal, not on standard input.
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  const line = [command, ...args].join(' ');
  if (result.error) throw new CommandFailed(line, result.error.message, '');
  if (result.status !== 0) {
    throw new CommandFailed(line, result.signal ?? result.status, lastLines(result.stdout + result.stderr));
  }
  return result.stdout;
}

function lastLines(text, count = 15) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
