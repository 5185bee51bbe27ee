/**
 * One execution environment of a function: a Node process that has imported the bundle, takes one event at a time, and is frozen
 * between them, so that work left behind after an answer does not go on. It has no environment but the one it is given.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type InvocationRequest, replySchema } from './messages.ts';

/** What came of an event. Only `answered` reached its end; `throttled` never began. */
export type Outcome =
  | { readonly kind: 'answered'; readonly payload: unknown }
  | { readonly kind: 'failed'; readonly errorType: string; readonly errorMessage: string }
  | { readonly kind: 'throttled' };

export interface EnvironmentOptions {
  readonly entry: string;
  readonly handlerName: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onOutput: (text: string) => void;
}

const bootstrap = fileURLToPath(new URL('bootstrap.ts', import.meta.url));
/** Of an answer or an event, as JSON. */
export const maxPayloadBytes = 6 * 1024 * 1024;

/** Lambda allows ten seconds, on a machine of its own. */
const startTimeoutMs = 30_000;

export class ExecutionEnvironment {
  readonly #child: ChildProcess;
  readonly #started: Promise<Outcome | undefined>;
  #settle: ((outcome: Outcome | undefined) => void) | undefined;
  #isBusy = false;
  #isDoomed = false;

  constructor({ entry, handlerName, environment, onOutput }: EnvironmentOptions) {
    const args = [
      '--disable-warning=ExperimentalWarning',
      bootstrap,
      entry,
      handlerName,
      process.env.NODE_COMPILE_CACHE ?? '',
    ];
    // A frozen process would stay for ever when the one that started it is killed.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...args], {
      env: { ...environment },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => onOutput(chunk.toString('utf8')));
    this.#child.on('error', () => {}); // `exit` or the failed spawn's missing pid says it.
    this.#child.on('message', (message) => this.#hear(message));
    this.#child.on('exit', (code, signal) => {
      const errorMessage = `the process ended with ${signal ?? code} before it answered`;
      this.#settle?.({ kind: 'failed', errorType: 'Runtime.ExitError', errorMessage });
    });
    this.#started = this.#next();
  }

  get isAlive(): boolean {
    if (this.#isDoomed) return false;
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Imports the bundle first where it has not yet. After a timeout the process is gone. */
  async invoke(request: Omit<InvocationRequest, 'deadline'>, timeoutMs: number): Promise<Outcome> {
    this.#isBusy = true;
    const slowStart = setTimeout(() => this.#timeOut(startTimeoutMs), startTimeoutMs);
    const failedStart = await this.#started;
    clearTimeout(slowStart);
    if (failedStart !== undefined) return failedStart;
    this.#child.kill('SIGCONT');
    const outcome = this.#next();
    const timer = setTimeout(() => this.#timeOut(timeoutMs), timeoutMs);
    this.#child.send({ ...request, deadline: Date.now() + timeoutMs }, () => {}); // A failure to send is an exit.
    const result = (await outcome) ?? { kind: 'failed', errorType: 'Runtime.Protocol', errorMessage: 'ready twice' };
    clearTimeout(timer);
    this.#child.kill('SIGSTOP');
    this.#isBusy = false;
    return result;
  }

  /** As when the machine under it is lost. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    this.#isDoomed = true;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #next(): Promise<Outcome | undefined> {
    const { promise, resolve } = Promise.withResolvers<Outcome | undefined>();
    this.#settle = resolve;
    return promise;
  }

  #timeOut(timeoutMs: number): void {
    this.#settle?.({
      kind: 'failed',
      errorType: 'Sandbox.Timedout',
      errorMessage: `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
    });
    this.#isDoomed = true;
    this.#child.kill('SIGKILL');
  }

  #hear(message: unknown): void {
    const reply = replySchema.parse(message);
    if (reply.kind === 'ready') this.#settle?.(undefined);
    else if (reply.kind === 'error') this.#settle?.({ ...reply, kind: 'failed' });
    else if (Buffer.byteLength(reply.payload) > maxPayloadBytes) this.#settle?.(tooLarge(reply.payload));
    else this.#settle?.({ kind: 'answered', payload: JSON.parse(reply.payload) });
  }
}

const tooLarge = (payload: string): Outcome => ({
  kind: 'failed',
  errorType: 'Function.ResponseSizeTooLarge',
  errorMessage: `Response payload size (${Buffer.byteLength(payload)} bytes) exceeded the allowed size (${maxPayloadBytes} bytes).`,
});
