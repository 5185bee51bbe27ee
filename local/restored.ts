/** What `gantry store restored` does: says of the store that it was put back, while no control plane has it. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { pause } from '../control/open.ts';
import { markRestored, type RestoredStore } from '../control/restored-store.ts';
import { GantryError } from '../core/errors.ts';
import { openTable } from './open-table.ts';
import { type CloudOptions, cloudPaths } from './options.ts';

/** Throws ClientException where a control plane has the file, and ResourceNotFoundException where there is no store. */
export async function sayRestored(options: CloudOptions): Promise<RestoredStore> {
  const { database } = cloudPaths(options);
  if (options.store === 'sqlite' && !existsSync(database)) throw noStore(database);
  const table = await openTable(options);
  try {
    const restored = await markRestored({
      table,
      clock: { now: () => Date.now() },
      random: () => Math.random(),
      newId: () => randomBytes(16).toString('hex'),
      sleep: pause,
    });
    if (restored === undefined) throw noStore(options.store === 'sqlite' ? database : options.dynamodbTable);
    return restored;
  } finally {
    await table.close();
  }
}

const noStore = (where: string): GantryError =>
  new GantryError('ResourceNotFoundException', `There is no store of Gantry in ${where}.`, {
    hint: 'Put the backup back first.',
  });
