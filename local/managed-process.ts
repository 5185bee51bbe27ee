/**
 * Processes that outlive whoever started them: each has a pid file and a marker, an argument of its command line that no other
 * program has. A pid that was reused by another program is never taken for ours, and never signalled.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ManagedProcess {
  readonly pidFile: string;
  /** An argument of the process' command line that tells it from all others, for example the path of its config file. */
  readonly marker: string;
}

export interface StartOptions extends ManagedProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Both output streams are appended to it. */
  readonly logFile: string;
}

/** The pid of the process, or undefined when it does not run. */
export function runningPid({ pidFile, marker }: ManagedProcess): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'); // Empty for a zombie.
    return argv.includes(marker) ? pid : undefined;
  } catch {
    return undefined; // No pid file, or no such process.
  }
}

/** Starts the process in a session of its own, so that a terminal's Ctrl-C does not reach it. */
export function startManaged(options: StartOptions): number {
  for (const file of [options.pidFile, options.logFile]) mkdirSync(dirname(file), { recursive: true });
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.command, [...options.args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env,
      cwd: '/',
    });
    child.on('error', () => {}); // A failed exec leaves pid undefined, which is reported below.
    child.unref();
    if (child.pid === undefined) throw new Error(`${options.command} could not be executed.`);
    writeFileSync(options.pidFile, `${child.pid}\n`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** SIGTERM, and SIGKILL when it has not ended in time. Removes the pid file. */
export async function stopManaged(process_: ManagedProcess, stopTimeoutMs = 10_000): Promise<void> {
  const pid = runningPid(process_);
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    const deadline = Date.now() + stopTimeoutMs;
    while (runningPid(process_) === pid) {
      if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
      await delay(10);
    }
  }
  rmSync(process_.pidFile, { force: true });
}

/** The last lines of a process' log, for an error message. */
export function logTail(logFile: string, lines = 12): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return `(no log at ${logFile})`;
  }
}
