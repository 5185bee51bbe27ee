/** Signal numbers for the names that images write in STOPSIGNAL: `SIGQUIT`, `QUIT`, `3`, `SIGRTMIN+3`. */
import { constants } from 'node:os';

const firstRealTime = 34; // The C library keeps two of the kernel's for itself.
const lastRealTime = 64;

/** Undefined for what is no signal. */
export function signalNumber(text: string): number | undefined {
  const name = text.trim().toUpperCase().replace(/^SIG/, '');
  if (/^\d+$/.test(name)) return inRange(Number(name));
  const realTime = /^RTM(IN|AX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) {
    const [, end, sign = '+', offset = '0'] = realTime;
    const base = end === 'IN' ? firstRealTime : lastRealTime;
    return inRange(sign === '+' ? base + Number(offset) : base - Number(offset));
  }
  const known: Readonly<Record<string, number>> = constants.signals;
  return known[`SIG${name}`];
}

const inRange = (signal: number): number | undefined => (signal >= 1 && signal <= lastRealTime ? signal : undefined);
