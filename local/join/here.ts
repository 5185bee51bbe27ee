/** What the command line asks of this machine as a host, with options checked by name. */
import { z } from 'zod';
import { GantryError } from '../../core/errors.ts';
import { type JoinEvents, join } from './join.ts';
import { leave } from './leave.ts';
import { type Places, placesSchema } from './options.ts';

type Raw = Readonly<Record<string, unknown>>;

interface JoinWanted {
  /** By the names of `placesSchema`. */
  readonly places: Raw;
  /** By the names of `hostOptionsSchema`. */
  readonly said: Raw;
  readonly token?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly foreground: boolean;
  readonly install: boolean;
}

interface LeaveWanted {
  readonly places: Raw;
  readonly force: boolean;
  readonly purge: boolean;
}

/** `files`: see `JoinEvents`. */
export const hostHere = (files: JoinEvents['files']) => ({
  join: ({ places, ...wanted }: JoinWanted, events: Omit<JoinEvents, 'files'>, signal: AbortSignal) =>
    join({ ...wanted, places: placesOf(places) }, { ...events, files }, signal),
  leave: ({ places, ...wanted }: LeaveWanted, say: (line: string) => void, signal: AbortSignal) =>
    leave({ ...wanted, places: placesOf(places) }, say, signal),
});

function placesOf(raw: Raw): Places {
  const parsed = placesSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new GantryError('InvalidParameterException', z.prettifyError(parsed.error), {
    field: parsed.error.issues[0]?.path.join('.') ?? '',
  });
}
