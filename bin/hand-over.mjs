/**
 * Becomes another program: the same standard streams, signals and exit code. Plain JavaScript for any Node >= 20.
 * It never returns to its caller's work: once the program ends, so does this process.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Replaces this process by `command` where Node can (execve: Node 22.15 and later); elsewhere runs it as a child and ends as
 * the child ended. `command` must be an absolute path.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env]
 */
export function handOver(command, args, env = process.env) {
  if (typeof process.execve === 'function') {
    process.execve(command, [command, ...args], definedOnly(env));
  }
  const child = spawn(command, args, { stdio: 'inherit', env });
  /** @type {NodeJS.Signals[]} */
  const forwarded = ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGINT', 'SIGQUIT'];
  for (const signal of forwarded) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C and Ctrl-\ to the child itself; sent twice, the second would mean "at once".
      const fromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT');
      if (!fromTerminal) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`${command} could not be started: ${error.message}\n`);
    process.exit(126);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.exit(128 + constants.signals[signal]);
  });
}

/** execve takes strings only. */
function definedOnly(env) {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
