import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import { describeTable } from './conformance.ts';

describeTable(
  'the table over SQLite',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gantry-store-'));
    const table = openSqliteTable({ file: join(dir, 'store.db') });
    return {
      table,
      async [Symbol.asyncDispose]() {
        await table.close();
        rmSync(dir, { recursive: true });
      },
    };
  },
  { stories: 500 },
);
