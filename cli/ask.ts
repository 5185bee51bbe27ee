/** Asks whoever sits at the keyboard, without showing what is typed where it is a secret; off a terminal standard input answers. */
import type { Sink } from './output.ts';

export interface Keyboard extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

export interface Question {
  readonly prompt: string;
  readonly secret: boolean;
}

export class Asker implements AsyncDisposable {
  readonly #keyboard: Keyboard;
  readonly #screen: Sink;
  #chunks: AsyncIterator<Buffer | string> | undefined;
  /** Typed, or pasted, ahead of the next question. */
  #ahead: string[] = [];

  constructor(keyboard: Keyboard, screen: Sink) {
    this.#keyboard = keyboard;
    this.#screen = screen;
  }

  /** A line without its end. Undefined where there is no answer: an empty line, Ctrl-C, Ctrl-D, or an input that ends. */
  async ask({ prompt, secret }: Question): Promise<string | undefined> {
    if (this.#keyboard.isTTY !== true) return this.#line(undefined);
    this.#screen.write(prompt);
    this.#keyboard.setRawMode?.(true);
    try {
      return await this.#line(secret ? undefined : this.#screen);
    } finally {
      this.#keyboard.setRawMode?.(false);
      this.#screen.write('\n');
    }
  }

  /** Lets go of the input, which would keep the process alive. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks?.return?.();
  }

  async #line(echo: Sink | undefined): Promise<string | undefined> {
    let line = '';
    for (;;) {
      const character = await this.#character();
      if (character === undefined || character === '\r' || character === '\n') return line || undefined;
      if (character === '\u0003' || character === '\u0004') return undefined;
      if (character === '\u007f' || character === '\b') {
        if (line !== '') echo?.write('\b \b');
        line = line.slice(0, -1);
      } else if (character >= ' ') {
        line += character;
        echo?.write(character);
      }
    }
  }

  async #character(): Promise<string | undefined> {
    this.#chunks ??= this.#keyboard[Symbol.asyncIterator]();
    while (this.#ahead.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#ahead = Array.from(String(next.value).replaceAll('\r\n', '\n'));
    }
    return this.#ahead.shift();
  }
}
