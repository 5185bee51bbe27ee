/** A fleet of this machine with a containerd of its own and no control plane: agents run and wait for one. Disposing leaves nothing. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { containerdPaths, startContainerd } from '../../local/containerd.ts';
import { removeHosts } from '../../local/down.ts';
import { type LocalFleet, openLocalFleet } from '../../local/fleet/local-fleet.ts';
import { type CloudOptions, type CloudPaths, cloudOptionsSchema, cloudPaths } from '../../local/options.ts';
import { freePort, freeSerial } from './cloud.ts';

export interface TestFleet extends AsyncDisposable {
  readonly options: CloudOptions;
  readonly paths: CloudPaths;
  /** As it is since the last `again`. */
  readonly fleet: LocalFleet;
  /** Closes it and opens it anew, as a control plane that is started again; with other options where there are some. */
  again(changes?: Partial<CloudOptions>): Promise<LocalFleet>;
  /** Ends every host and waits until it is gone. */
  end(): Promise<void>;
}

export const fleetClusters = ['default', 'second'] as const;

/** Not started. */
export async function openTestFleet(max: number): Promise<TestFleet> {
  const serial = freeSerial();
  const base = mkdtempSync('/var/tmp/gantry-test-');
  let options = cloudOptionsSchema.parse({
    name: `gt${serial}`,
    dataDir: join(base, 'data'),
    runDir: join(base, 'run'),
    network: `10.${20 + serial}`,
    port: await freePort(),
    fleet: { min: 0, max },
  });
  const paths = cloudPaths(options);
  for (const directory of [paths.dataDir, paths.runDir]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const log = pino({ level: 'silent' });
  const open = () => openLocalFleet({ options, log, joinToken: () => Promise.resolve('none') });
  await startContainerd(containerdPaths(paths.dataDir, paths.runDir));
  let fleet = await open();

  async function end(): Promise<void> {
    fleet.start();
    const there = async () => (await Promise.all(fleetClusters.map((cluster) => fleet.list(cluster)))).flat();
    await fleet.terminate((await there()).map(({ instanceId }) => instanceId));
    await until(async () => (await there()).length === 0);
  }

  return {
    options,
    paths,
    get fleet() {
      return fleet;
    },
    async again(changes = {}) {
      await fleet.close();
      options = { ...options, ...changes };
      fleet = await open();
      return fleet;
    },
    end,
    async [Symbol.asyncDispose]() {
      await end();
      await fleet.close();
      await removeHosts([], options, paths);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Looks again and again; the test's own timeout ends it. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
