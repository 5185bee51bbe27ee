/** Amounts and times as people read them, in sentences and tables. Never localised: the same input gives the same text everywhere. */

/** `3 hosts`, `1 host`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `8 ms`, `1.2 s`, `2 min 5 s`, `3 h 2 min`, `2 d 4 h`. A negative duration (clocks differ) reads as 0 ms. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 59_950) return `${trimZero((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return twoUnits(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return twoUnits(minutes, 60, 'h', 'min');
  return twoUnits(Math.round(minutes / 60), 24, 'd', 'h');
}

/** `2026-11-30 14:03:20 UTC`. */
export const formatTime = (epochMs: number): string =>
  `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

function twoUnits(amount: number, size: number, large: string, small: string): string {
  const rest = amount % size;
  const whole = `${Math.floor(amount / size)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** `512 MiB`, `1.5 GiB`. */
export const formatMib = (mib: number): string =>
  Math.abs(mib) < 1024 ? `${mib} MiB` : `${trimZero((mib / 1024).toFixed(1))} GiB`;

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `17 B`, `3.4 MiB`. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1023.95 && unit < byteUnits.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? amount : trimZero(amount.toFixed(1))} ${byteUnits[unit] ?? ''}`;
}

/** `0.25 vCPU` of 256 CPU units. */
export const formatCpu = (units: number): string => `${Number((units / 1024).toFixed(3))} vCPU`;

/** `a`, `a and b`, `a, b and c`. */
export function formatList(items: readonly string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

const trimZero = (decimal: string): string => (decimal.endsWith('.0') ? decimal.slice(0, -2) : decimal);
