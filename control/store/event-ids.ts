/** Ids of events: the time at which each was written down comes first, so that their order is that of all writers together. */
import { timeKey } from './keys.ts';

const pattern = /^\d{15}-\d{6}-[0-9a-f]{8}$/;
const mostInOneMoment = 1_000_000;

export const isEventId = (text: string): boolean => pattern.test(text);

/** Ids in the order in which they are asked for, whatever the clock does. `writer`: 8 hexadecimal digits that no other process has. */
export function createEventIds(now: () => number, writer: string): () => string {
  let last = 0;
  let count = 0;
  return () => {
    const ms = Math.floor(now());
    if (ms > last) [last, count] = [ms, 0];
    else if (count + 1 < mostInOneMoment) count += 1;
    else [last, count] = [last + 1, 0];
    return `${timeKey(last)}-${count.toString().padStart(6, '0')}-${writer}`;
  };
}

/** When an event of this id was written down (epoch milliseconds). */
export const writtenAt = (id: string): number => Number(id.slice(0, 15));

/** Before the ids of all that was written down at a moment or later, and behind all others. */
export const beginningOf = (epochMs: number): string => timeKey(Math.max(0, Math.floor(epochMs)));
