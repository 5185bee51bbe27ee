/** What a bench is to `npm run bench`: data. A new one is a file that exports one, and its line in main.ts. */
import type { ParseArgsOptionsConfig } from 'node:util';

/** As parseArgs of node:util answers them. */
export type BenchOptions = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

export interface Bench {
  readonly name: string;
  /** One line: what is measured. */
  readonly summary: string;
  /** Its options with their help. */
  readonly usage: readonly (readonly [option: string, help: string])[];
  readonly options: ParseArgsOptionsConfig;
  /** Results go to standard output, what happens meanwhile to standard error. The signal asks to end early, with nothing left behind. */
  run(options: BenchOptions, signal: AbortSignal): Promise<void>;
}

/** A whole number, at least 1; throws an Error that names the option. */
export function positiveInteger(options: BenchOptions, name: string): number {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${name} must be a whole number of at least 1, not ${String(options[name])}`);
}
