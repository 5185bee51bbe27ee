/**
 * Shells that stay and run the machine's tools one after the other. Starting a process from the agent itself stops all of the agent
 * until the new program begins (2 ms, and 15 on a busy machine), four times a task; a small shell is quick at it, and waits by itself.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** Administrators' directories, which the PATH of a user's shell may lack. */
const sbin = '/usr/local/sbin:/usr/sbin:/sbin';

/** Tools wait for each other's locks in the kernel: more at once would not end sooner. Of those a wave of tasks had, so many stay. */
const maxShells = 8;

export interface ToolResult {
  /** The shell's word for it where it did not run: 126, 127. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

class ToolShell {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Ends what a tool wrote to a stream. */
  readonly #mark = randomBytes(16).toString('hex');
  #stdout = '';
  #stderr = '';
  #settle: { resolve: (result: ToolResult) => void; reject: (error: Error) => void } | undefined;
  #ended: Error | undefined;

  constructor() {
    this.#process = spawn('/bin/sh', [], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: `${process.env.PATH ?? ''}:${sbin}:/usr/bin:/bin`, LC_ALL: 'C' },
    });
    this.#process.stdin.on('error', () => {}); // It has ended; `close` says so.
    this.#process.on('error', (error) => this.#end(error));
    this.#process.on('close', () => this.#end(new Error('the shell that runs tools was ended')));
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#look();
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    this.#hold(false);
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** One at a time. Throws Error when the shell was ended. */
  async run(argv: readonly string[], input: string): Promise<ToolResult> {
    if (this.#ended !== undefined) throw this.#ended;
    const { promise, resolve, reject } = Promise.withResolvers<ToolResult>();
    this.#settle = { resolve, reject };
    this.#hold(true);
    // A quoted mark: nothing in the input is expanded.
    const inputEnd = input === '' || input.endsWith('\n') ? '' : '\n';
    this.#process.stdin.write(
      `${argv.map(quoted).join(' ')} <<'${this.#mark}'\n${input}${inputEnd}${this.#mark}\n` +
        `echo "${this.#mark} $?"; echo ${this.#mark} >&2\n`,
    );
    return await promise;
  }

  #look(): void {
    const ending = new RegExp(`${this.#mark} (\\d+)\n`).exec(this.#stdout);
    const stderrEnd = this.#stderr.indexOf(`${this.#mark}\n`);
    if (ending === null || stderrEnd === -1) return;
    const result = {
      exitCode: Number(ending[1]),
      stdout: this.#stdout.slice(0, ending.index),
      stderr: this.#stderr.slice(0, stderrEnd),
    };
    this.#stdout = '';
    this.#stderr = '';
    this.#hold(false);
    this.#settle?.resolve(result);
    this.#settle = undefined;
  }

  #end(why: Error): void {
    this.#ended ??= why;
    this.#settle?.reject(this.#ended);
    this.#settle = undefined;
  }

  /** An idle shell is no reason for our process to stay; it ends with us, because its input does. */
  #hold(isBusy: boolean): void {
    const { stdin, stdout, stderr } = this.#process;
    const handles = [stdin, stdout, stderr].filter((stream) => stream instanceof Socket);
    for (const handle of [this.#process, ...handles]) {
      if (isBusy) handle.ref();
      else handle.unref();
    }
  }
}

const idle: ToolShell[] = [];
const waiting: ((shell: ToolShell) => void)[] = [];
let shells = 0;

/** Runs the tool when a shell is free. Throws Error where there is none to be had. */
export async function runInShell(argv: readonly string[], input: string): Promise<ToolResult> {
  const shell = await takeShell();
  try {
    return await shell.run(argv, input);
  } finally {
    giveBack(shell);
  }
}

async function takeShell(): Promise<ToolShell> {
  const free = idle.pop();
  if (free !== undefined && !free.hasEnded) return free;
  if (free !== undefined) shells -= 1; // Somebody killed it.
  if (shells < maxShells) {
    shells += 1;
    return new ToolShell();
  }
  return await new Promise((resolve) => waiting.push(resolve));
}

function giveBack(shell: ToolShell): void {
  const next = waiting.shift();
  if (next !== undefined) next(shell.hasEnded ? new ToolShell() : shell);
  else if (shell.hasEnded) shells -= 1;
  else idle.push(shell);
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
