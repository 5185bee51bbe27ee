/**
 * Copies a store that nobody uses into another, as `gantry store copy` does. The target is no store before all of it is there and
 * compared; what broke off is gone on with. Then it has an epoch of its own, so that agents take nothing over from it by themselves.
 * Never changes the source.
 */
import { GantryError } from '../core/errors.ts';
import { attempt } from './attempts.ts';
import type { ControlDeps } from './deps.ts';
import { unhearHosts } from './restored-store.ts';
import { clustersPage } from './store/clusters.ts';
import { keys } from './store/keys.ts';
import { getAll } from './store/read-all.ts';
import { beginStoreCopy, finishStoreCopy, getStoreCopy, isCopiedBy, refuseHalfCopy } from './store/store-copies.ts';
import { digestOf, itemText, type StoreDigest } from './store/store-digest.ts';
import { getReceiving, getStoreMeta, type StoreMeta } from './store/store-meta.ts';
import { type Change, type Item, type Key, maxChangesPerCommit, type Table } from './store/table.ts';
import { checkItemSize } from './store/values.ts';

export interface WholeStore {
  readonly table: Table;
  /** All items, page by page in any order; each call reads anew. */
  readonly scan: () => AsyncIterable<readonly Item[]>;
}

export interface CopyProgress {
  readonly phase: 'copying' | 'comparing';
  /** Read so far. */
  readonly items: number;
}

export interface CopyOptions {
  readonly source: WholeStore;
  readonly target: WholeStore;
  /** Where the source is, for who finds a target that is not whole. */
  readonly from: string;
  readonly clock: ControlDeps['clock'];
  readonly newId: ControlDeps['newId'];
  readonly random: ControlDeps['random'];
  readonly sleep: ControlDeps['sleep'];
  readonly progress: (progress: CopyProgress) => void;
  readonly signal: AbortSignal;
}

/** A target that has its mark. */
export interface BegunCopy extends CopyOptions {
  readonly meta: StoreMeta;
  readonly run: string;
  /** Whether some of it was there. */
  readonly resumed: boolean;
  /** What was over by then is gone for every reader, and deleted at some time by either store. */
  readonly begunAt: number;
}

export interface CopiedStore extends StoreDigest {
  readonly epoch: string;
  readonly before: string;
  /** How many hosts wait for a decision once their agents are heard. */
  readonly hosts: number;
  readonly resumed: boolean;
}

/** A control plane in AWS says it anew every ten minutes (hosts/receiving.ts). */
const receivingMs = 15 * 60_000;

/** DynamoDB takes 4 MB; items are counted as it counts them. */
const maxBatch = { items: maxChangesPerCommit - 1, bytes: 2 * 1024 * 1024 };

/** Throws ClientException where a control plane has said lately that it receives. For stores that have no lock. */
export async function refuseReceiving({ table }: WholeStore, now: number): Promise<void> {
  const receiving = await getReceiving(table);
  if (receiving === undefined || now - receiving.at > receivingMs) return;
  const seconds = Math.max(0, Math.round((now - receiving.at) / 1000));
  throw new GantryError('ClientException', `A control plane used this store ${seconds} seconds ago.`, {
    hint: 'End it and try again in fifteen minutes; or, where it has ended for certain, give --force.',
  });
}

/** Throws ResourceNotFoundException where there is no store to copy. */
export async function sourceMeta({ table }: WholeStore): Promise<StoreMeta> {
  const meta = await getStoreMeta(table);
  if (meta !== undefined) return meta;
  await refuseHalfCopy(table);
  throw new GantryError('ResourceNotFoundException', 'There is no store of Gantry.');
}

/** Marks the target. Throws ClientException where it is neither empty nor begun as a copy of this very source. */
export async function beginCopy(options: CopyOptions): Promise<BegunCopy> {
  const { source, target, from, newId, clock } = options;
  const meta = await sourceMeta(source);
  const there = await getStoreMeta(target.table);
  if (there !== undefined) throw occupied(there, meta);
  const seen = await getStoreCopy(target.table);
  if (seen !== undefined && seen.source !== meta.epoch)
    throw new GantryError('ClientException', `It is a copy of another store (${seen.from}) that is not whole.`, {
      hint: emptyOne,
    });
  if (seen === undefined && (await hasItems(target)))
    throw new GantryError('ClientException', 'It is not empty.', { hint: emptyOne });
  const run = newId();
  const { outcome } = await target.table.commit(beginStoreCopy({ source: meta.epoch, from, run }, seen));
  if (outcome !== 'done') throw overtaken();
  return { ...options, meta, run, resumed: seen !== undefined, begunAt: clock.now() };
}

const emptyOne = 'Name a store that is empty or not there yet.';

function occupied({ epoch, earlierEpochs = [] }: StoreMeta, source: StoreMeta): GantryError {
  if (!earlierEpochs.includes(source.epoch))
    return new GantryError(
      'ClientException',
      `There is a store already${epoch === source.epoch ? ', and it is the same one' : ''}.`,
      {
        hint: emptyOne,
      },
    );
  return new GantryError('ClientException', 'There is a whole copy of this store already.', {
    hint: 'Use it; what happened in the other one since is not in it. For another copy name a store that is empty or not there yet.',
  });
}

async function hasItems({ scan }: WholeStore): Promise<boolean> {
  for await (const page of scan()) if (page.length > 0) return true;
  return false;
}

const overtaken = (): GantryError =>
  new GantryError('ConflictException', 'Another process has copied into this store, or used it, meanwhile.', {
    hint: 'Let one of them finish.',
  });

/** Throws ConflictException where what is there in the end is not what the source has. */
export async function finishCopy(copy: BegunCopy): Promise<CopiedStore> {
  const { source, target, meta, run, newId, resumed } = copy;
  if (resumed) await removeStrays(copy);
  await copyItems(copy);
  const [wanted, got] = [await digested(copy, source), await digested(copy, target)];
  if (wanted.digest !== got.digest || wanted.items !== got.items) {
    const message = `The copy has ${got.items} items that are not those ${wanted.items} of the source.`;
    throw new GantryError('ConflictException', message, {
      hint: 'Something uses one of the two: end it, and run the same command again.',
    });
  }
  const hosts = await unhearHosts({ ...copy, table: target.table }, await clusterNames(target.table), [
    isCopiedBy(run),
  ]);
  const epoch = newId();
  const { outcome } = await target.table.commit(finishStoreCopy(run, meta, epoch));
  if (outcome !== 'done') throw overtaken();
  return { ...wanted, epoch, before: meta.epoch, hosts, resumed };
}

const kept = new Set([keys.store(), keys.storeCopy()].map(({ pk, sk }) => `${pk}#${sk}`));

/** Of both stores; what the store is comes last, and what is over comes not at all. */
const isCopied = ({ begunAt }: BegunCopy, { pk, sk, expiresAt }: Item): boolean =>
  !kept.has(`${pk}#${sk}`) && (expiresAt === undefined || expiresAt * 1000 > begunAt);

/** What an earlier run has copied and the source has no more: somebody used it in between. */
async function removeStrays(copy: BegunCopy): Promise<void> {
  for await (const page of copy.target.scan()) {
    const copied = page.filter((item) => isCopied(copy, item));
    const there = new Set((await getAll(copy.source.table, copied.map(keyOf))).map(keyText));
    const strays = copied.filter((item) => !there.has(keyText(item)));
    for (let from = 0; from < strays.length; from += maxBatch.items) {
      const batch = strays.slice(from, from + maxBatch.items);
      await commitOurs(
        copy,
        batch.map((item) => ({ kind: 'delete', key: keyOf(item), when: [] })),
      );
    }
  }
}

const keyOf = ({ pk, sk }: Item): Key => ({ pk, sk });
const keyText = ({ pk, sk }: Item): string => JSON.stringify([pk, sk]);

async function copyItems(copy: BegunCopy): Promise<void> {
  let items = 0;
  for await (const page of copy.source.scan()) {
    for (const batch of batchesOf(page.filter((item) => isCopied(copy, item)))) {
      const missing = copy.resumed ? await missingOf(copy.target.table, batch) : batch;
      if (missing.length > 0)
        await commitOurs(
          copy,
          missing.map((item) => ({ kind: 'put', item, when: [] })),
        );
      items += batch.length;
      copy.progress({ phase: 'copying', items });
    }
  }
}

function* batchesOf(items: readonly Item[]): Generator<readonly Item[]> {
  let batch: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = checkItemSize(item);
    if (batch.length === maxBatch.items || (batch.length > 0 && bytes + size > maxBatch.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** What of the items is not there, or differs. */
async function missingOf(table: Table, items: readonly Item[]): Promise<readonly Item[]> {
  const there = new Set((await table.getMany(items.map(keyOf))).map(itemText));
  return items.filter((item) => !there.has(itemText(item)));
}

/** Beside the mark, so that two runs do not write beside each other, nor one into a store that is whole and used. */
async function commitOurs(copy: BegunCopy, changes: readonly Change[]): Promise<void> {
  copy.signal.throwIfAborted();
  await attempt(copy, { most: 10, what: 'the target' }, async () => {
    const { outcome } = await copy.target.table.commit([isCopiedBy(copy.run), ...changes]);
    if (outcome === 'refused') throw overtaken();
    return outcome === 'done' ? outcome : undefined;
  });
}

function digested(copy: BegunCopy, { scan }: WholeStore): Promise<StoreDigest> {
  const counted = async function* () {
    let items = 0;
    for await (const page of scan()) {
      copy.signal.throwIfAborted();
      yield page;
      items += page.length;
      copy.progress({ phase: 'comparing', items });
    }
  };
  return digestOf(counted(), (item) => isCopied(copy, item));
}

/** Also of those that were deleted: hosts may be left in them. Strongly, because they were written just now. */
async function clusterNames(table: Table): Promise<string[]> {
  const names: string[] = [];
  let after: string | undefined;
  do {
    const page = await clustersPage(table, after === undefined ? {} : { after });
    names.push(...page.clusters.map(({ name }) => name));
    after = page.next;
  } while (after !== undefined);
  return names;
}
