/** The control plane's process of one machine over a store of its own, which knows so many hosts already. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Credentials } from '../../client/signer.ts';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import { readStoredCredentials } from '../../local/context.ts';
import { cloudOptionsSchema, cloudPaths } from '../../local/options.ts';
import { ensureServer, serverUrl, stopServer } from '../../local/server.ts';
import { freePort } from '../../test/support/cloud.ts';
import { hostChanges } from '../many-hosts.ts';

export interface ControlPlaneProcess extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
}

/** Longer than the bench: nobody plays the hosts, and none of them is to fall silent. */
const heartbeatSeconds = 24 * 3600;

/** `directory`: which disk the store is on. Throws an Error with the end of the process' log where it does not start. */
export async function startControlPlane(hosts: number, directory: string): Promise<ControlPlaneProcess> {
  const dir = mkdtempSync(join(directory, 'gantry-bench-'));
  const options = cloudOptionsSchema.parse({
    name: 'bench',
    dataDir: join(dir, 'data'),
    runDir: join(dir, 'run'),
    port: await freePort(),
    heartbeatSeconds,
  });
  const paths = cloudPaths(options);
  await writeHosts(paths.database, hosts);
  await ensureServer(options, paths);
  const credentials = readStoredCredentials(paths.credentials);
  if (credentials === undefined) throw new Error(`${paths.credentials} holds no key`);
  return {
    endpoint: serverUrl(options),
    region: options.region,
    credentials,
    async [Symbol.asyncDispose]() {
      await stopServer(paths);
      rmSync(dir, { recursive: true });
    },
  };
}

const hostsPerCommit = 40;

export async function writeHosts(database: string, count: number): Promise<void> {
  const table = openSqliteTable({ file: database });
  const now = Date.now();
  for (let from = 0; from < count; from += hostsPerCommit) {
    const numbers = Array.from({ length: Math.min(hostsPerCommit, count - from) }, (_, n) => from + n);
    const { outcome } = await table.commit(numbers.flatMap((n) => hostChanges(n, 'nobody', now)));
    if (outcome !== 'done') throw new Error('the hosts were not made');
  }
  await table.close();
}
