/** Moments as they are named on the command line: so long ago, or a time in RFC 3339. */
import { GantryError } from '../core/errors.ts';

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3600_000, d: 24 * 3600_000 };

/** Throws InvalidParameterException where it is neither. */
export function momentNamed(text: string, now: number): Date {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ms = unitMs[unit];
  if (amount !== undefined && ms !== undefined) return new Date(Math.max(0, now - Number(amount) * ms));
  const time = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new GantryError('InvalidParameterException', `${text} is no time.`, {
    field: 'since',
    hint: 'Say how long ago (90s, 15m, 2h, 3d), or when (2026-11-30T14:00:00Z).',
  });
}
