/** Checks that several operations share. Each throws ECS' error, naming the member. */
import { GantryError } from '../../core/errors.ts';

/** Describe operations take at most this many names. */
const mostNames = 100;

export function refuseTooMany(field: string, names: readonly string[], most = mostNames): void {
  if (names.length <= most) return;
  throw new GantryError('InvalidParameterException', `${field} may name at most ${most}.`, { field });
}

/** Members of ECS' that would change what happens, and that Gantry does not honour: nothing is silently ignored. */
export function refuseOthers<Name extends string>(
  input: { readonly [Member in Name]?: unknown },
  names: readonly Name[],
): void {
  for (const name of names) {
    const value: unknown = input[name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    throw new GantryError('ClientException', `${name} is not supported yet.`, {
      field: name,
      hint: `Leave ${name} out.`,
    });
  }
}
