/**
 * A task definition's ulimits as rlimits of a process, kept within what this machine lets anyone set: an agent that may not raise
 * limits (no CAP_SYS_RESOURCE, as in many containers and small VMs) would otherwise fail to start what asks for the usual 65536 files.
 */
import { readFileSync } from 'node:fs';
import type { Ulimit } from '../../core/model/task-definition.ts';
import type { SpecRlimit } from './runtime-spec.ts';

/** What ulimit names are called in /proc/self/limits. */
const procNames: Readonly<Record<string, string>> = {
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
};

const CAP_SYS_RESOURCE = 24n;

/** The greatest hard limit, by ulimit name; Infinity where there is none. */
export type LimitCeilings = Readonly<Record<string, number>>;

/** How far this machine lets limits be raised. Read once: it is fixed when the agent starts. */
export function readLimitCeilings(procRoot = '/proc'): LimitCeilings {
  const read = (path: string): string => readFileSync(`${procRoot}/${path}`, 'utf8');
  const capabilities = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(read('self/status'))?.[1] ?? '0'}`);
  // Nobody opens more files than fs.nr_open, however privileged.
  if (((capabilities >> CAP_SYS_RESOURCE) & 1n) === 1n) return { nofile: Number(read('sys/fs/nr_open')) };
  const limits = read('self/limits');
  return Object.fromEntries(Object.entries(procNames).map(([name, label]) => [name, hardLimit(limits, label)]));
}

function hardLimit(limits: string, label: string): number {
  const hard = new RegExp(`^${label} +\\S+ +(\\S+)`, 'm').exec(limits)?.[1];
  return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}

/** -1 asks for no limit. */
export function rlimits(ulimits: readonly Ulimit[], ceilings: LimitCeilings): SpecRlimit[] {
  return ulimits.map(({ name, softLimit, hardLimit }) => {
    const hard = Math.min(orInfinity(hardLimit), ceilings[name] ?? Number.POSITIVE_INFINITY);
    const soft = Math.min(orInfinity(softLimit), hard);
    return { type: `RLIMIT_${name.toUpperCase()}`, soft: orUnlimited(soft), hard: orUnlimited(hard) };
  });
}

const orInfinity = (limit: number): number => (limit === -1 ? Number.POSITIVE_INFINITY : limit);
const orUnlimited = (limit: number): SpecRlimit['hard'] => (limit === Number.POSITIVE_INFINITY ? 'unlimited' : limit);
