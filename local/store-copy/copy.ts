/** What `gantry store copy` does: opens both stores, sees that nobody else has them, and has everything copied. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  beginCopy,
  type CopiedStore,
  type CopyProgress,
  finishCopy,
  refuseReceiving,
  sourceMeta,
  type WholeStore,
} from '../../control/copied-store.ts';
import { pause } from '../../control/open.ts';
import { getDataKey } from '../../control/store/data-key.ts';
import type { StoreMeta } from '../../control/store/store-meta.ts';
import { GantryError } from '../../core/errors.ts';
import { cloudOptionsSchema } from '../options.ts';
import { carryDataKey, checkDataKey } from './carry-data-key.ts';
import { addressOf, isSamePlace, openPlace, type Place, readPlace, type Side } from './places.ts';

export const copyOptionsSchema = z.object({
  from: z.string(),
  to: z.string(),
  dynamodbEndpoint: cloudOptionsSchema.shape.dynamodbEndpoint,
  /** Absent: where the source is a store, that store's own. */
  region: z.string().optional(),
  force: z.boolean().default(false),
});
type CopyStoreOptions = z.infer<typeof copyOptionsSchema>;

interface CopySurroundings {
  readonly progress: (progress: CopyProgress) => void;
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface StoreCopied extends CopiedStore {
  readonly from: string;
  readonly to: string;
  /** The file with the key that opens its secrets, where it went along. */
  readonly dataKey?: string;
  /** What is left to do so that the copy opens its secrets. */
  readonly secrets?: string;
}

/** Errors name the argument at fault. May be repeated until it has come to its end. */
export async function copyStores(
  options: CopyStoreOptions,
  { progress, signal, now }: CopySurroundings,
): Promise<StoreCopied> {
  const [from, to] = [readPlace('FROM', options.from), readPlace('TO', options.to)];
  if (isSamePlace(from, to))
    throw new GantryError('InvalidParameterException', 'TO is the same store as FROM.', { field: 'TO' });
  checkDataKey(from, to);
  await using opened = new AsyncDisposableStack();
  const open = async (place: Place, region: string, create: boolean): Promise<WholeStore> => {
    const store = await openPlace(place, { ...options, region }, create);
    opened.defer(() => store.table.close());
    return store;
  };
  const { source, meta } = await naming('FROM', from, async () => {
    const store = await open(from, options.region ?? cloudOptionsSchema.shape.region.parse(undefined), false);
    if (from.kind === 'dynamodb' && !options.force) await refuseReceiving(store, now());
    return { source: store, meta: await sourceMeta(store) };
  });
  if (to.kind === 'dynamodb') checkRegion(options, meta);
  return await naming('TO', to, async () => {
    const target = await open(to, meta.region, true);
    const begun = await beginCopy({
      ...chance,
      source,
      target,
      from: addressOf(from),
      clock: { now },
      progress,
      signal,
    });
    const carried = carryDataKey(from, to, (await getDataKey(source.table))?.keyArn);
    return { from: addressOf(from), to: addressOf(to), ...(await finishCopy(begun)), ...carried };
  });
}

const chance = { random: () => Math.random(), newId: () => randomBytes(16).toString('hex'), sleep: pause };

/** A control plane looks for its table in the region of its store. An emulator has no regions. */
function checkRegion({ region, dynamodbEndpoint }: CopyStoreOptions, meta: StoreMeta): void {
  if (region === undefined || region === meta.region || dynamodbEndpoint !== undefined) return;
  throw new GantryError(
    'InvalidParameterException',
    `--region is ${region}, but the store is of ${meta.region} for good.`,
    {
      field: 'region',
      hint: 'Leave --region out: the table is made in the region of the store.',
    },
  );
}

async function naming<T>(side: Side, place: Place, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    const { code, hint } = error;
    const details = { field: side, ...(hint !== undefined && { hint }), cause: error };
    throw new GantryError(
      isMissingTable(error) ? 'ResourceNotFoundException' : code,
      `${side} (${addressOf(place)}): ${error.message}`,
      details,
    );
  }
}

/** Of DynamoDB, which is asked for a table that is not there. */
const isMissingTable = ({ cause }: GantryError): boolean =>
  cause instanceof Error && cause.name === 'ResourceNotFoundException';
