/** One file of a container's log as the agent keeps it: where it begins, how far its lines have times. Looks when it is told to. */
import { stat } from 'node:fs/promises';
import { TimeIndexWriter } from './line-times.ts';
import { headBehindHole, lineStartAfter, punchHole } from './log-head.ts';

export const timesPath = (path: string): string => `${path}.times`;

export class KeptStream {
  readonly path: string;
  readonly #times: TimeIndexWriter;
  #head: number;
  #punched = 0;
  #size: number;
  #looking: Promise<unknown> = Promise.resolve();

  private constructor(path: string, head: number, size: number, times: TimeIndexWriter) {
    this.path = path;
    this.#head = head;
    this.#size = size;
    this.#times = times;
  }

  /** What it has grown since somebody looked last has a time that is approximate: that of its last write. */
  static async open(path: string, notedHead: number): Promise<KeptStream> {
    const { size, mtimeMs } = await stat(path);
    const head = size === 0 ? 0 : await headBehindHole(path, Math.min(notedHead, size));
    const times = await TimeIndexWriter.open(timesPath(path), size);
    if (size > times.coveredBytes) await times.append({ offset: size, at: mtimeMs, isApproximate: true }, head);
    return new KeptStream(path, head, size, times);
  }

  /** Where what is kept begins. */
  get head(): number {
    return this.#head;
  }

  get size(): number {
    return this.#size;
  }

  get keptBytes(): number {
    return this.#size - this.#head;
  }

  /** Notes that it has grown, if it has, and answers whether. One look at a time. */
  look(now: () => number, isApproximate: boolean): Promise<boolean> {
    const look = this.#looking.then(async () => {
      const { size } = await stat(this.path);
      this.#size = size;
      if (size <= this.#times.coveredBytes) return false;
      await this.#times.append({ offset: size, at: now(), isApproximate }, this.#head);
      return true;
    });
    this.#looking = look.catch(() => {}); // Told to whoever asked for it.
    return look;
  }

  /** Moves the head so far, and on to where a line begins. What is before it is there until `punch`. */
  async dropTo(offset: number): Promise<void> {
    this.#head = Math.min(this.#size, await lineStartAfter(this.path, offset));
  }

  /** Takes away what is before the head; again from the beginning where it is not known to be gone. */
  async punch(): Promise<void> {
    const head = this.#head;
    await punchHole(this.path, this.#punched, head);
    this.#punched = head;
  }
}
