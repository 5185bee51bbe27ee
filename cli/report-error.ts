/** Errors for people and for programs: what and why, then what to do; as one object on standard output with --json. */
import { errorTraits, GantryError } from '../core/errors.ts';
import { exitCodes } from './command.ts';
import type { Output } from './output.ts';

/** Answers the exit code. */
export function reportError(error: unknown, out: Output, signal: AbortSignal): number {
  out.status([]);
  if (signal.aborted && !(error instanceof GantryError)) return exitCodes.interrupted;
  const { code, message, field, hint } =
    error instanceof GantryError
      ? error
      : new GantryError('ServerException', error instanceof Error ? error.message : String(error));
  out.data({ error: { code, message, field, hint } });
  out.note(`${out.paint('red', 'Error:')} ${message}`);
  if (hint !== undefined) out.note(hint);
  return errorTraits[code].exitCode;
}
