/** Moments as people read them: relative on a terminal, ISO 8601 anywhere else, because a file is read later. */
import { formatDuration } from '../../core/text.ts';

export interface TimeStyle {
  readonly terminal: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** `3 min ago`, `2026-11-24T09:00:00.000Z`. */
export function formatMoment(at: Date, { terminal, now }: TimeStyle): string {
  return terminal ? `${formatAge(at, now)} ago` : at.toISOString();
}

/** One unit: nobody needs the seconds of an hour. */
function formatAge(at: Date, now: number): string {
  const seconds = Math.max(0, Math.round((now - at.getTime()) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 24 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / (24 * 3600))} d`;
}

/** The time since a beginning, for a timeline: `+1.2 s`. */
export const formatOffset = (at: Date, beginning: Date): string =>
  `+${formatDuration(at.getTime() - beginning.getTime())}`;
