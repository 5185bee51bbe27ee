/**
 * A store that is being made as a copy of another: while it is not whole it has a mark and no region, account or epoch, so that no
 * control plane can use it or make a store of its own there.
 */
import { z } from 'zod';
import { GantryError } from '../../core/errors.ts';
import { itemOf, parseOptional } from './item.ts';
import { keys } from './keys.ts';
import { addStoreMeta, type StoreMeta } from './store-meta.ts';
import type { Change, Table } from './table.ts';

const storeCopySchema = z.object({
  /** The epoch of the store that it is to be a copy of. */
  source: z.string(),
  /** Where that was, as whoever copies has said it. */
  from: z.string(),
  /** Who copies at present: whoever begins again takes it over. */
  run: z.string(),
});
export type StoreCopy = z.infer<typeof storeCopySchema>;

export const getStoreCopy = async (table: Table): Promise<StoreCopy | undefined> =>
  parseOptional(storeCopySchema, await table.get(keys.storeCopy()));

/** Refused where there is a store, or somebody else has begun or gone on meanwhile. */
export const beginStoreCopy = (copy: StoreCopy, seen: StoreCopy | undefined): Change[] => [
  {
    kind: 'put',
    item: itemOf(keys.storeCopy(), copy),
    when: [seen === undefined ? { item: 'absent' } : { path: ['run'], is: '=', value: seen.run }],
  },
  { kind: 'check', key: keys.store(), when: [{ item: 'absent' }] },
];

/** Refused where another run has taken over, or finished it. */
export const isCopiedBy = (run: string): Change => ({
  kind: 'check',
  key: keys.storeCopy(),
  when: [{ path: ['run'], is: '=', value: run }],
});

/** From then on it is a store. */
export const finishStoreCopy = (run: string, { epoch: before, ...source }: StoreMeta, epoch: string): Change[] => [
  { kind: 'delete', key: keys.storeCopy(), when: [{ path: ['run'], is: '=', value: run }] },
  addStoreMeta({ ...source, epoch, earlierEpochs: [...(source.earlierEpochs ?? []), before] }),
];

/** Throws ClientException where the copy is not whole. */
export async function refuseHalfCopy(table: Table): Promise<void> {
  const copy = await getStoreCopy(table);
  if (copy === undefined) return;
  throw new GantryError(
    'ClientException',
    `This store is a copy of ${copy.from} that is not whole: copying broke off, or still runs.`,
    {
      hint: 'Run the same `gantry store copy` again: it goes on where that ended. Or delete this store.',
    },
  );
}
