/** Two streams that keep what is written to them and let a test wait for words. */
import type { Sink } from '../../../cli/output.ts';

interface KeptSink extends Sink {
  text: string;
}

export class Terminal {
  readonly stdout: KeptSink;
  readonly stderr: KeptSink;
  readonly #waiters = new Set<() => void>();
  #ended = false;

  /** A terminal only where it has a width. */
  constructor(columns?: number, errorsElsewhere = false, rows = 24) {
    const sink = (isTerminal: boolean): KeptSink => {
      const made: KeptSink = {
        text: '',
        write: (text: string) => {
          made.text += text;
          this.#wake();
        },
        ...(isTerminal && columns !== undefined && { isTTY: true, columns, rows }),
      };
      return made;
    };
    this.stdout = sink(true);
    this.stderr = sink(!errorsElsewhere);
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async said(text: string): Promise<void> {
    for (;;) {
      const all = this.stdout.text + this.stderr.text;
      if (all.includes(text)) return;
      if (this.#ended) throw new Error(`it ended without saying "${text}":\n${all}`);
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }
}
