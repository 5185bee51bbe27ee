/** The key that `gantry up` makes by itself: the control plane's process alone, with a store of its own and no hosts. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createClient } from '../../client/client.ts';
import { removeAccessKey } from '../../control/store/access-keys.ts';
import { keys } from '../../control/store/keys.ts';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import type { Table } from '../../control/store/table.ts';
import { hostAccessKinds } from '../../core/model/rights.ts';
import { writeContext } from '../../local/context.ts';
import { type CloudPaths, cloudOptionsSchema, cloudPaths } from '../../local/options.ts';
import { ensureServer, stopServer } from '../../local/server.ts';
import { freePort } from '../support/cloud.ts';

const withTable = async <T>({ database: file }: CloudPaths, use: (table: Table) => Promise<T>): Promise<T> => {
  const table = openSqliteTable({ file });
  try {
    return await use(table);
  } finally {
    await table.close();
  }
};

const storedKey = (paths: CloudPaths, accessKeyId: string): Promise<string> =>
  withTable(paths, async (table) => JSON.stringify(await table.get(keys.accessKey(accessKeyId))));

const unseal = (paths: CloudPaths, accessKeyId: string, secretAccessKey: string) =>
  withTable(paths, (table) =>
    table.commit([
      {
        kind: 'update',
        key: keys.accessKey(accessKeyId),
        set: [{ path: ['secretAccessKey'], value: secretAccessKey }],
        remove: [['sealedSecret']],
        when: [],
      },
    ]),
  );

it('is listed and sealed, and made anew where it was deleted or cannot be opened', async () => {
  const base = mkdtempSync(join(tmpdir(), 'gantry-first-key-'));
  const directories = { dataDir: join(base, 'data'), runDir: join(base, 'run') };
  const options = cloudOptionsSchema.parse({ ...directories, port: await freePort() });
  const paths = cloudPaths(options);
  /** The control plane started, and what the command line then signs with. */
  const up = async () => {
    await ensureServer(options, paths);
    const { credentials } = writeContext(options, paths);
    return { client: createClient({ ...writeContext(options, paths) }), accessKeyId: credentials?.accessKeyId ?? '' };
  };
  const listed = async ({ client }: Awaited<ReturnType<typeof up>>) =>
    (await client.call('ListAccessKeys', {})).accessKeys.map(({ accessKeyId }) => accessKeyId);
  try {
    const first = await up();
    expect(await listed(first)).toEqual([first.accessKeyId]);
    await stopServer(paths);
    const secret = JSON.parse(readFileSync(paths.credentials, 'utf8')).secretAccessKey;
    expect(await storedKey(paths, first.accessKeyId)).not.toContain(secret);
    // As a store of before has it: the secret as it is.
    await unseal(paths, first.accessKeyId, secret);
    const again = await up();
    expect(again.accessKeyId).toBe(first.accessKeyId);
    expect(await listed(again)).toEqual([first.accessKeyId]);
    await stopServer(paths);
    expect(await storedKey(paths, first.accessKeyId)).not.toContain(secret);
    await withTable(paths, (table) => table.commit(removeAccessKey(first.accessKeyId)));
    const anew = await up();
    expect(anew.accessKeyId).not.toBe(first.accessKeyId);
    expect(await listed(anew)).toEqual([anew.accessKeyId]);
    await stopServer(paths);
    // Without its data key no secret can be opened: there is a first key again.
    rmSync(paths.dataKey);
    const lost = await up();
    expect(await listed(lost)).toHaveLength(2);
    expect(lost.accessKeyId).not.toBe(anew.accessKeyId);
    expect(statSync(paths.dataKey).mode & 0o777).toBe(0o600);
    expect((await lost.client.call('ListAccessKeys', {})).accessKeys).toContainEqual(
      expect.objectContaining({ accessKeyId: lost.accessKeyId, taskRoles: ['*'], hostAccess: hostAccessKinds }),
    );
  } finally {
    await stopServer(paths);
    rmSync(base, { recursive: true, force: true });
  }
});
