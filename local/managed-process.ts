/**
 * Processes that outlive whoever started them: each has a pid file and a marker, an argument of its command line that no other
 * program has. A pid that was reused by another program is never taken for ours, and never signalled.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** Says in a process' environment which pid file it belongs to. Its children may inherit it; they do not have the marker. */
const pidFileVariable = 'GANTRY_PID_FILE';

/**
 * The pid of the process, or undefined when it does not run. Whoever started it may have been killed before the pid file was written:
 * then it is found among all processes.
 */
export function runningPid(process_: ManagedProcess): number | undefined {
  const noted = notedPid(process_);
  if (noted !== undefined && argumentsOf(noted).includes(process_.marker)) return noted;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => argumentsOf(pid).includes(process_.marker) && isStartedFor(pid, process_));
}

function notedPid({ pidFile }: ManagedProcess): number | undefined {
  const pid = Number.parseInt(readOr(pidFile, ''), 10);
  return Number.isNaN(pid) ? undefined : pid;
}

/** None of a process that has ended, a zombie included, and none of one whose exec is not done. */
const argumentsOf = (pid: number): string[] => readOr(`/proc/${pid}/cmdline`, '').split('\0');

const isStartedFor = (pid: number, { pidFile }: ManagedProcess): boolean =>
  readOr(`/proc/${pid}/environ`, '').split('\0').includes(`${pidFileVariable}=${pidFile}`);

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise; // Not there, or gone meanwhile.
  }
}

/**
 * Exec shows the arguments some steps after it has closed the files by which `spawn` learns that it succeeded. Where the machine under
 * it takes the processor away between the two, the process would look like one that has ended.
 */
function awaitArguments(pid: number): void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (isAlive(pid) && readOr(`/proc/${pid}/cmdline`, '') === '') Atomics.wait(never, 0, 0, 1);
}

/** Neither gone nor a zombie. Its name, in brackets before its state, may have any character. */
const isAlive = (pid: number): boolean => /\) [^ZX] [^)]*$/.test(readOr(`/proc/${pid}/stat`, ''));

/** Where Node keeps what it has compiled, if somebody has said so: processes start in half of the time then. */
function compileCache(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: directory } = process.env;
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: directory };
}

/** Starts the process in a session of its own, so that a terminal's Ctrl-C does not reach it. */
export function startManaged(options: StartOptions): number {
  for (const file of [options.pidFile, options.logFile]) mkdirSync(dirname(file), { recursive: true });
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.command, [...options.args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...compileCache(), ...options.env, [pidFileVariable]: options.pidFile },
      cwd: '/',
    });
    child.on('error', () => {}); // A failed exec leaves pid undefined, which is reported below.
    child.unref();
    if (child.pid === undefined) throw new Error(`${options.command} could not be executed.`);
    awaitArguments(child.pid);
    // In one step: whoever reads it meanwhile finds the former one or this one, never an empty file.
    writeFileSync(`${options.pidFile}.new`, `${child.pid}\n`);
    renameSync(`${options.pidFile}.new`, options.pidFile);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** SIGTERM, and SIGKILL when it has not ended in time. Removes the pid file. */
export async function stopManaged(process_: ManagedProcess, stopTimeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + stopTimeoutMs;
  const told = new Set<number>();
  for (let pid = runningPid(process_); pid !== undefined; pid = runningPid(process_)) {
    if (Date.now() > deadline) signalIfThere(pid, 'SIGKILL');
    else if (!told.has(pid)) signalIfThere(pid, 'SIGTERM');
    told.add(pid);
    await delay(10);
  }
  rmSync(process_.pidFile, { force: true });
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile, which is what was wanted.
  }
}

/** The last lines of a process' log, for an error message. */
export function logTail(logFile: string, lines = 12): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return `(no log at ${logFile})`;
  }
}
