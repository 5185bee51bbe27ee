/**
 * Started by the crash tests, to be killed: commits in a loop, eight at a time, and prints the number of each commit that was
 * acknowledged. Each makes two halves and adds one to the counter that all share. Ends by itself only when a commit fails.
 */
import { writeSync } from 'node:fs';
import { openSqliteTable } from '../../control/store/sqlite.ts';

const [file = '', first = '0'] = process.argv.slice(2);
const table = openSqliteTable({ file });
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};

async function write(n: number): Promise<void> {
  const half = (sk: string) =>
    ({
      kind: 'put',
      item: { pk: 'halves', sk, v: 1, data: { bulk: 'x'.repeat(2_000) } },
      when: [{ item: 'absent' }],
    }) as const;
  const result = await table.commit([
    half(`${n}-a`),
    half(`${n}-b`),
    { kind: 'update', key: { pk: 'counter', sk: 'counter' }, add: [{ path: ['n'], by: 1 }], when: [] },
  ]);
  say(result.outcome === 'done' ? `acknowledged ${n}` : `refused ${n}`);
}

if ((await table.get({ pk: 'counter', sk: 'counter' })) === undefined) {
  const counter = { pk: 'counter', sk: 'counter', v: 1, data: { n: 0 } };
  await table.commit([{ kind: 'put', item: counter, when: [] }]);
}
say('open');
try {
  for (let n = Number(first); ; n += 8) {
    await Promise.all(Array.from({ length: 8 }, (_, index) => write(n + index)));
  }
} catch (error) {
  say(`failed ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`);
}
