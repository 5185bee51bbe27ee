import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLimitCeilings, rlimits } from '../../../agent/oci/rlimits.ts';

function machine(capEff: string) {
  const proc = mkdtempDisposableSync(join(tmpdir(), 'gantry-proc-'));
  mkdirSync(join(proc.path, 'self'));
  mkdirSync(join(proc.path, 'sys/fs'), { recursive: true });
  writeFileSync(join(proc.path, 'sys/fs/nr_open'), '1048576\n');
  writeFileSync(join(proc.path, 'self/status'), `Name:\tnode\nCapEff:\t${capEff}\n`);
  writeFileSync(
    join(proc.path, 'self/limits'),
    [
      'Limit                     Soft Limit           Hard Limit           Units     ',
      'Max stack size            8388608              unlimited            bytes     ',
      'Max open files            20000                20000                files     ',
    ].join('\n'),
  );
  return proc;
}

const withoutSysResource = '000001fffeffffff';
const withEverything = '000001ffffffffff';

describe('rlimits', () => {
  it("are kept below the agent's own hard limits where it may not raise them", () => {
    using proc = machine(withoutSysResource);
    const ceilings = readLimitCeilings(proc.path);
    expect(rlimits([{ name: 'nofile', softLimit: 4096, hardLimit: 65536 }], ceilings)).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 4096, hard: 20000 },
    ]);
    expect(rlimits([{ name: 'nofile', softLimit: 65536, hardLimit: 65536 }], ceilings)).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 20000, hard: 20000 },
    ]);
    expect(rlimits([{ name: 'stack', softLimit: 1024, hardLimit: -1 }], ceilings)).toEqual([
      { type: 'RLIMIT_STACK', soft: 1024, hard: 'unlimited' },
    ]);
  });

  it('are bounded by the kernel alone where the agent may raise them', () => {
    using proc = machine(withEverything);
    const ceilings = readLimitCeilings(proc.path);
    expect(rlimits([{ name: 'nofile', softLimit: -1, hardLimit: -1 }], ceilings)).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 1048576, hard: 1048576 },
    ]);
    expect(rlimits([{ name: 'memlock', softLimit: -1, hardLimit: -1 }], ceilings)).toEqual([
      { type: 'RLIMIT_MEMLOCK', soft: 'unlimited', hard: 'unlimited' },
    ]);
  });
});
