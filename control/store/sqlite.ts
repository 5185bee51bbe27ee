/**
 * The embedded store: the table in one SQLite file, for one process at a time.
 *
 * An acknowledged commit has been synced to disk (WAL, synchronous=FULL). Commits that arrive in the same turn of the event loop
 * share one transaction, because syncing is what a commit costs; each is still judged alone, in the order of arrival, against the
 * state that those before it leave. This file never acknowledges before COMMIT has returned, and never reads the clock for anything
 * but sweeping expired items.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { GantryError } from '../../core/errors.ts';
import { checkedCommit, checkedKey, checkedKeys, checkQuery, keyOf } from './checks.ts';
import { allHold, updated } from './conditions.ts';
import { type SortKeyRange, sortKeyRange } from './sort-key-range.ts';
import { Checkpoints } from './sqlite-checkpoints.ts';
import { openSqliteFile, type SqliteFile, storeFault } from './sqlite-file.ts';
import { itemOfRow } from './sqlite-row.ts';
import * as sql from './sqlite-schema.ts';
import type { Change, CommitResult, Follower, Item, ItemChange, Key, Page, QueryOptions, Table } from './table.ts';
import { checkItemSize, normalMap, TableUsageError } from './values.ts';

export interface SqliteTableOptions {
  /** The database; made with its directory when it is not there. Only its owner may read it: it holds access keys. */
  readonly file: string;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** A page ends before it gets larger than this, as DynamoDB's do, so that no reader relies on unbounded pages. */
const maxPageBytes = 1024 * 1024;
const sweep = { intervalMs: 60_000, maxItems: 200 };

/**
 * Opens the store, or makes it. Throws ClientException, naming the directory, when another process has it open, when a newer Gantry
 * wrote it, or when the file is something else.
 */
export const openSqliteTable = ({ file, now = Date.now }: SqliteTableOptions): Table =>
  new SqliteTable(openSqliteFile(file), file, now);

interface PendingCommit {
  readonly changes: readonly Change[];
  readonly settle: (result: CommitResult) => void;
  readonly fail: (error: unknown) => void;
}

class SqliteTable implements Table {
  readonly #opened: SqliteFile;
  readonly #db: DatabaseSync;
  readonly #checkpoints: Checkpoints;
  readonly #file: string;
  readonly #now: () => number;
  readonly #statements = new Map<string, StatementSync>();
  #pending: PendingCommit[] = [];
  #follower: Follower | undefined;
  #nextSweepAt = 0;

  constructor(opened: SqliteFile, file: string, now: () => number) {
    this.#opened = opened;
    this.#db = opened.db;
    this.#checkpoints = new Checkpoints(file);
    this.#file = file;
    this.#now = now;
    this.#sweep();
  }

  async get(key: Key): Promise<Item | undefined> {
    return this.#read(checkedKey(key));
  }

  async getMany(keys: readonly Key[]): Promise<Item[]> {
    return checkedKeys(keys).flatMap((key) => this.#read(key) ?? []);
  }

  async query(pk: string, options: QueryOptions = {}): Promise<Page> {
    return this.#page('table', pk, options);
  }

  async queryHistory(pk: string, options: QueryOptions = {}): Promise<Page> {
    return this.#page('history', pk, options);
  }

  async commit(changes: readonly Change[]): Promise<CommitResult> {
    const checked = checkedCommit(changes);
    this.#assertOpen();
    return new Promise((settle, fail) => {
      // setImmediate, not a microtask: requests that the same turn reads from other sockets join the group.
      if (this.#pending.push({ changes: checked, settle, fail }) === 1) setImmediate(() => this.#flush());
    });
  }

  follow(follower: Follower): void {
    this.#follower = follower;
  }

  async close(): Promise<void> {
    if (!this.#db.isOpen) return;
    this.#flush();
    // Whoever asks for the store from now on is told that it is closed; the lock on it goes last.
    this.#db.close();
    await this.#checkpoints.close();
    this.#opened.lock.close();
  }

  #read({ pk, sk }: Key): Item | undefined {
    const row = this.#statement(sql.selectItem).get(pk, sk);
    return row === undefined ? undefined : itemOfRow(row);
  }

  #page(index: 'table' | 'history', pk: string, options: QueryOptions): Page {
    checkQuery(pk, options);
    const range = sortKeyRange(options);
    if (range === undefined) return { items: [] };
    const { limit = Number.POSITIVE_INFINITY, descending = false } = options;
    const oneMore = options.limit === undefined ? -1 : options.limit + 1;
    const text = sql.selectRange(index, range, descending);
    const rows = this.#statement(text).iterate(pk, ...boundsOf(range), oneMore);
    const items: Item[] = [];
    let bytes = 0;
    for (const row of rows) {
      bytes += Buffer.byteLength(String(row.data));
      const last = items.at(-1);
      if (last !== undefined && (items.length >= limit || bytes > maxPageBytes)) {
        return { items, next: index === 'table' ? last.sk : (last.history?.sk ?? '') };
      }
      items.push(itemOfRow(row));
    }
    return { items };
  }

  /** Writes the whole group in one transaction; nothing is answered before it is on disk. */
  #flush(): void {
    const group = this.#pending;
    this.#pending = [];
    if (group.length === 0) return;
    const answers: (() => void)[] = [];
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      let written = 0;
      let entailed = 0;
      for (const commit of group) {
        const { answer, changed } = this.#judge(commit);
        for (const change of changed) this.#apply(change);
        entailed += this.#entail(changed);
        written += changed.length;
        answers.push(answer);
      }
      if (entailed > 0) answers.push(() => this.#follower?.onWritten());
      this.#db.exec(written > 0 ? 'COMMIT' : 'ROLLBACK');
      this.#checkpoints.wrote(written + entailed);
    } catch (error) {
      this.#rollBack();
      for (const { fail } of group) fail(storeFault(`The store ${this.#file} could not be written`, error));
      return;
    }
    for (const answer of answers) answer();
    if (this.#now() >= this.#nextSweepAt) setImmediate(() => this.#sweep());
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // Whatever is wrong with the disk, the callers are told of the first error; the next BEGIN tells of one that stays.
    }
  }

  /** Decides on every change before the first is written, so that a commit needs no savepoint to be all or nothing. */
  #judge({ changes, settle, fail }: PendingCommit): { answer: () => void; changed: readonly KeyedChange[] } {
    try {
      const items = changes.map((change) => this.#read(keyOf(change)));
      const failed = changes.flatMap((change, index) => refusal(change, index, items[index]));
      if (failed.length > 0) return { answer: () => settle({ outcome: 'refused', failed }), changed: [] };
      const changed = changes.flatMap((change, index) => changeOf(change, items[index]));
      return { answer: () => settle({ outcome: 'done' }), changed };
    } catch (error) {
      if (!(error instanceof TableUsageError || error instanceof GantryError)) throw error; // SQLite's own: the group's.
      return { answer: () => fail(error), changed: [] };
    }
  }

  #apply({ key, after }: KeyedChange): void {
    if (after === undefined) this.#statement(sql.deleteItem).run(key.pk, key.sk);
    else this.#write(after);
  }

  /** After all of a commit is written, so that the follower sees it whole. Answers how many items it had to add. */
  #entail(changed: readonly KeyedChange[]): number {
    const follower = this.#follower;
    if (follower === undefined) return 0;
    const followed = changed.filter(({ key }) => follower.follows(key));
    const items = followed.flatMap((change) => follower.entail(change, (key) => this.#read(key)));
    for (const item of items) this.#write(item);
    return items.length;
  }

  #write({ pk, sk, v, history, expiresAt, data }: Item): void {
    const text = JSON.stringify(data);
    this.#statement(sql.writeItem).run(pk, sk, v, history?.pk ?? null, history?.sk ?? null, expiresAt ?? null, text);
  }

  /** Deletes a bounded number of expired items, in a turn of its own; goes on after the next commit while there may be more. */
  #sweep(): void {
    if (!this.#db.isOpen) return;
    const now = this.#now();
    this.#nextSweepAt = now + sweep.intervalMs;
    try {
      const { changes } = this.#statement(sql.deleteExpired).run(Math.floor(now / 1000), sweep.maxItems);
      if (Number(changes) === sweep.maxItems) this.#nextSweepAt = now;
    } catch {
      // Housekeeping that nobody waits for: a disk that refuses it will refuse the next commit too, and say why.
    }
  }

  #statement(text: string): StatementSync {
    this.#assertOpen();
    const cached = this.#statements.get(text);
    if (cached !== undefined) return cached;
    const statement = this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  #assertOpen(): void {
    if (!this.#db.isOpen) throw new GantryError('ServiceUnavailableException', `The store ${this.#file} is closed.`);
  }
}

interface KeyedChange extends ItemChange {
  readonly key: Key;
}

/** What a change that was accepted makes of its item; nothing where it only checks. */
function changeOf(change: Change, before: Item | undefined): KeyedChange[] {
  const key = keyOf(change);
  switch (change.kind) {
    case 'put':
      return [{ key, before, after: change.item }];
    case 'update': {
      if (before === undefined) return []; // Refused before.
      const result = updated(before, change);
      // As a reader will find it: what was removed is not there, rather than undefined.
      const after = { ...result, data: normalMap(result.data) };
      checkItemSize(after);
      return [{ key, before, after }];
    }
    case 'delete':
      return [{ key, before, after: undefined }];
    case 'check':
      return [];
  }
}

function refusal(change: Change, index: number, item: Item | undefined): { index: number; item?: Item }[] {
  const missing = change.kind === 'update' && item === undefined;
  if (!missing && allHold(change.when, item)) return [];
  return [{ index, ...(item && { item }) }];
}

const boundsOf = ({ low, high }: SortKeyRange): SQLInputValue[] => [low, high].flatMap((bound) => bound?.key ?? []);
