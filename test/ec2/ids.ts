/** EC2's ids: no two alike, and the same ones in each run, so that what a test shows can be compared. */
import { createHash } from 'node:crypto';

export class Ids {
  #made = 0;

  /** For example `i-0e5b1c…`: 17 hexadecimal digits. */
  next(prefix: string): string {
    return `${prefix}-0${this.#digits().slice(0, 16)}`;
  }

  fleet(): string {
    return `fleet-${this.#digits().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')}`;
  }

  #digits(): string {
    this.#made += 1;
    return createHash('sha256').update(`${this.#made}`).digest('hex');
  }
}
