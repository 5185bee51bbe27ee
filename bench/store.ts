/**
 * What the embedded store takes on this machine. Two kinds of commit, one put and one placement (three puts and a conditional
 * subtraction), by 1, 8 and 32 callers that each wait for their answer.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteTable } from '../control/store/sqlite.ts';
import type { Change, Item, Table } from '../control/store/table.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { percentile } from './statistics.ts';

const secondsEach = 3;
const hosts = 100;

const body = { containers: Array.from({ length: 20 }, (_, n) => ({ name: `NAME_${n}`, value: 'v'.repeat(40) })) };
const item = (pk: string, sk: string, data: Item['data']): Item => ({ pk, sk, v: 1, data });
const make = (made: Item): Change => ({ kind: 'put', item: made, when: [{ item: 'absent' }] });

type ChangesOf = (n: number) => Change[];

const commits: Record<string, ChangesOf> = {
  put: (n) => [{ kind: 'put', item: item(`task#${n}`, 'task', body), when: [] }],
  placement: (n) => [
    make(item(`task#${n}`, 'task', body)),
    make(item('live', `${n}`, {})),
    make(item(`host#${n % hosts}`, `task#${n}`, { version: 1 })),
    {
      kind: 'update',
      key: { pk: 'hosts', sk: `${n % hosts}` },
      add: [{ path: ['free', 'cpu'], by: -1 }],
      when: [{ path: ['free', 'cpu'], is: '>=', value: 1 }],
    },
  ],
};

/** Milliseconds that each commit took. */
async function measure(table: Table, callers: number, changesOf: ChangesOf): Promise<number[]> {
  await table.commit(Array.from({ length: hosts }, (_, n) => make(item('hosts', `${n}`, { free: { cpu: 1e9 } }))));
  const took: number[] = [];
  const end = performance.now() + secondsEach * 1000;
  let next = 0;
  const call = async (): Promise<void> => {
    for (let before = performance.now(); before < end; ) {
      const { outcome } = await table.commit(changesOf(next++));
      if (outcome !== 'done') throw new Error(`a commit was ${outcome}`);
      const after = performance.now();
      took.push(after - before);
      before = after;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return took;
}

/** Milliseconds to write 4 KB and sync it: what a commit cannot be faster than. */
function syncTime(dir: string): number {
  const rounds = 200;
  const fd = openSync(join(dir, 'sync'), 'w');
  const before = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    writeSync(fd, Buffer.alloc(4096));
    fdatasyncSync(fd);
  }
  closeSync(fd);
  return (performance.now() - before) / rounds;
}

export const storeBench: Bench = {
  name: 'store',
  summary: 'commits of the embedded store: one put, and one placement, by 1, 8 and 32 callers',
  usage: [['--directory DIR', 'where the database is made, which is which disk is measured']],
  options: { directory: { type: 'string', default: tmpdir() } },
  run,
};

async function run({ directory }: BenchOptions): Promise<void> {
  const dir = mkdtempSync(join(String(directory), 'gantry-bench-'));
  try {
    console.log(`one sync of this disk: ${syncTime(dir).toFixed(2)} ms`);
    for (const [name, changesOf] of Object.entries(commits)) {
      for (const callers of [1, 8, 32]) console.log(await commitLine(dir, name, callers, changesOf));
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function commitLine(dir: string, name: string, callers: number, changesOf: ChangesOf): Promise<string> {
  const table = openSqliteTable({ file: join(dir, `${name}-${callers}.db`) });
  const took = await measure(table, callers, changesOf);
  await table.close();
  const perSecond = Math.round(took.length / secondsEach);
  const at = (share: number): string => percentile(took, share).toFixed(2);
  return `${name}, ${callers} callers: ${perSecond} commits/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}
