/** What a test wants to go wrong with the next requests. */
import { Ec2Error } from './errors.ts';

export interface Fault {
  /** Of the request; `*` is any. */
  readonly action: string;
  /**
   * `throttle` answers RequestLimitExceeded; `lose-answer` does what was asked and breaks the connection; `refuse-connection` breaks it
   * before; `error` answers `code` (InternalError where none is given).
   */
  readonly kind: 'throttle' | 'lose-answer' | 'refuse-connection' | 'error';
  readonly code?: string;
  /** How many requests it meets: 1 where nothing is said. */
  readonly times?: number;
}

export class Faults {
  readonly #pending: { readonly fault: Fault; left: number }[] = [];

  failNext(fault: Fault): void {
    this.#pending.push({ fault, left: fault.times ?? 1 });
  }

  /** The oldest that fits, used up by one. */
  take(action: string): Fault | undefined {
    const index = this.#pending.findIndex(({ fault }) => fault.action === '*' || fault.action === action);
    const found = this.#pending[index];
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left === 0) this.#pending.splice(index, 1);
    return found.fault;
  }
}

export function errorOf({ kind, code }: Fault): Ec2Error | undefined {
  if (kind === 'throttle') return new Ec2Error('RequestLimitExceeded', 'Request limit exceeded.');
  if (kind !== 'error') return undefined;
  const failed = code ?? 'InternalError';
  return new Ec2Error(failed, `${failed}: the test wants it so.`);
}
