/**
 * Commands inside the guest, by QEMU's guest agent: over a virtual serial port, so that neither the guest's network nor what runs on it
 * is part of the way. One command at a time on the line; a line is good for one life of the machine.
 */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const answerSchema = z.object({ return: z.unknown().optional(), error: z.object({ desc: z.string() }).optional() });
const startedSchema = z.object({ pid: z.number() });
const statusSchema = z.object({
  exited: z.boolean(),
  exitcode: z.number().optional(),
  signal: z.number().optional(),
  'out-data': z.base64().default(''),
  'err-data': z.base64().default(''),
});

/** The agent notes the end of a command and is asked for it: ever more seldom, up to this. */
const askEveryMs = { first: 50, atMost: 2000 };
/** While the agent does not run yet, nothing answers: what is asked then is lost, and asked again. */
const silenceMs = 1000;

export class GuestAgentLine implements Disposable {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;
  #serial = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** Waits until the agent runs. */
  static async open(path: string, signal: AbortSignal): Promise<GuestAgentLine> {
    for (;;) {
      signal.throwIfAborted();
      const socket = createConnection(path);
      await once(socket, 'connect', { signal });
      socket.on('error', () => undefined); // The machine has ended: so does the line, and whoever reads it is told.
      const line = new GuestAgentLine(socket);
      const answers = line.#synchronize().then(() => true);
      if (await Promise.race([answers, pause(silenceMs, false)])) return line;
      answers.catch(() => undefined);
      socket.destroy();
    }
  }

  /** Runs `sh -c` to its end. */
  run(script: string): Promise<CommandResult> {
    const result = this.#turn.then(() => this.#run(script));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #run(script: string): Promise<CommandResult> {
    const path = '/bin/sh';
    const started = await this.#ask('guest-exec', { path, arg: ['-c', script], 'capture-output': true });
    const { pid } = startedSchema.parse(started);
    for (let everyMs = askEveryMs.first; ; everyMs = Math.min(1.3 * everyMs, askEveryMs.atMost)) {
      const status = statusSchema.parse(await this.#ask('guest-exec-status', { pid }));
      if (status.exited) {
        const text = (data: string): string => Buffer.from(data, 'base64').toString('utf8');
        const code = status.exitcode ?? 128 + (status.signal ?? 0);
        return { code, stdout: text(status['out-data']), stderr: text(status['err-data']) };
      }
      await pause(everyMs);
    }
  }

  /** What was asked on an earlier connection may still be answered on this one. */
  async #synchronize(): Promise<void> {
    this.#serial = Math.floor(Math.random() * 2 ** 31);
    const asked = this.#serial;
    this.#send('guest-sync', { id: asked });
    while ((await this.#answer()).return !== asked);
  }

  async #ask(command: string, args: object): Promise<unknown> {
    this.#send(command, args);
    const answer = await this.#answer();
    if (answer.error !== undefined) throw new Error(`The guest's agent refuses ${command}: ${answer.error.desc}`);
    return answer.return;
  }

  #send(execute: string, args: object): void {
    this.#socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
  }

  async #answer(): Promise<z.infer<typeof answerSchema>> {
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error('The guest has ended.');
    return answerSchema.parse(JSON.parse(value));
  }
}
