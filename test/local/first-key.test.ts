/** The key that `gantry up` makes by itself: the control plane's process alone, with a store of its own and no hosts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createClient } from '../../client/client.ts';
import { writeContext } from '../../local/context.ts';
import { cloudOptionsSchema, cloudPaths } from '../../local/options.ts';
import { ensureServer, stopServer } from '../../local/server.ts';
import { freePort } from '../support/cloud.ts';

it('is listed, and made anew where it was deleted', { timeout: 60_000 }, async () => {
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
    const again = await up();
    expect(again.accessKeyId).toBe(first.accessKeyId);
    await again.client.call('DeleteAccessKey', { accessKeyId: first.accessKeyId });
    await expect(listed(again)).rejects.toMatchObject({ code: 'UnrecognizedClientException' });
    await stopServer(paths);
    const anew = await up();
    expect(anew.accessKeyId).not.toBe(first.accessKeyId);
    expect(await listed(anew)).toEqual([anew.accessKeyId]);
  } finally {
    await stopServer(paths);
    rmSync(base, { recursive: true, force: true });
  }
});
