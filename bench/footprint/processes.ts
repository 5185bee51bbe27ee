/** What processes hold of memory and take of the processor, from /proc. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What is asked about: one program, in as many processes as it has. */
export interface Program {
  readonly name: string;
  readonly pids: readonly number[];
}

export interface Footprint {
  readonly name: string;
  readonly processes: number;
  /** Resident, pages shared with others counted in each. */
  readonly rssMib: number;
  /** The same with shared pages divided among those who share them. */
  readonly pssMib: number;
  /** Of one core, on average over the time of the measurement; programs that it started and waited for included. */
  readonly cpuPercent: number;
}

/** Ticks a second of the times in /proc, on every Linux of ours. */
const ticksPerSecond = 100;

export async function footprints(
  programs: readonly Program[],
  seconds: number,
  signal: AbortSignal,
): Promise<Footprint[]> {
  const before = programs.map(({ pids }) => sum(pids.map(cpuTicks)));
  const begunAt = performance.now();
  await delay(seconds * 1000, undefined, { signal });
  const passed = (performance.now() - begunAt) / 1000;
  return programs.map(({ name, pids }, index) => ({
    name,
    processes: pids.length,
    rssMib: sum(pids.map((pid) => mib(pid, 'Rss'))),
    pssMib: sum(pids.map((pid) => mib(pid, 'Pss'))),
    cpuPercent: ((sum(pids.map(cpuTicks)) - (before[index] ?? 0)) / ticksPerSecond / passed) * 100,
  }));
}

function mib(pid: number, member: 'Rss' | 'Pss'): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${member}: +(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
}

/** In user space and in the kernel, with those of children that have ended. */
function cpuTicks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may have anything in it.
  const fields = text
    .slice(text.lastIndexOf(') ') + 2)
    .split(' ')
    .map(Number);
  return sum(fields.slice(11, 15));
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
