/** Checks that several operations share. Each throws ECS' error, naming the member. */
import { GantryError } from '../../core/errors.ts';

/** Describe operations take at most this many names. */
const mostNames = 100;

export function refuseTooMany(field: string, names: readonly string[], most = mostNames): void {
  if (names.length <= most) return;
  throw new GantryError('InvalidParameterException', `${field} may name at most ${most}.`, { field });
}
