/** Where the hosts of a cloud's tests are on this machine: a name, directories and a network of their own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { containerdPaths, startContainerd } from '../../local/containerd.ts';
import { type CloudOptions, type CloudPaths, cloudOptionsSchema, cloudPaths } from '../../local/options.ts';
import { freeSerial } from '../support/cloud.ts';

/** Its files are gone when it is disposed of: whatever runs there has ended by then. */
export interface MachinePlace extends Disposable {
  readonly options: CloudOptions;
  readonly paths: CloudPaths;
  /** Starts it where it does not run; answers its socket. */
  containerd(): Promise<string>;
}

export function makePlace(region: string, hosts?: number): MachinePlace {
  const serial = freeSerial();
  const base = mkdtempSync('/var/tmp/gantry-test-');
  const options = cloudOptionsSchema.parse({
    name: `gt${serial}`,
    dataDir: join(base, 'data'),
    runDir: join(base, 'run'),
    hosts,
    network: `10.${20 + serial}`,
    region,
  });
  const paths = cloudPaths(options);
  for (const directory of [paths.dataDir, paths.runDir]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    options,
    paths,
    containerd: async () => (await startContainerd(containerdPaths(paths.dataDir, paths.runDir))).socket,
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}
