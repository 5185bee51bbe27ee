/**
 * The store as the control plane sees it: one table of items under a partition key and a sort key, read strongly by key or by
 * partition, changed only by `commit`, which is atomic. The shapes of this interface are DynamoDB's, because they are the harder of
 * the two stores to satisfy; SQLite gives the same semantics (one conformance suite holds both). Nothing outside control/store
 * builds a key or an expression: access paths are named functions, one file a noun.
 */

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * `v` is the schema version of the item's shape. `history` places it in the history index (eventually consistent). `expiresAt`
 * (epoch seconds) lets the store delete it some time later; readers compare the time themselves. Undefined members are not stored.
 */
export interface Item extends Key {
  readonly v: number;
  readonly history?: { readonly pk: string; readonly sk: string };
  readonly expiresAt?: number;
  readonly data: { readonly [name: string]: Json | undefined };
}

/** A member below `data`: one name, or the path to a member of a map, for example ['ports', 'tcp/80']. */
export type Path = readonly [string, ...string[]];

/** All terms must hold. `absent` and `exists` without a path are about the item itself. */
export type Condition =
  | { readonly item: 'exists' | 'absent' }
  | { readonly path: Path; readonly is: 'exists' | 'absent' }
  | { readonly path: Path; readonly is: '=' | '<' | '<=' | '>' | '>='; readonly value: string | number | boolean };

export type Change =
  /** Writes the whole item. */
  | { readonly kind: 'put'; readonly item: Item; readonly when: readonly Condition[] }
  /** Changes members of an item, which must exist. `add` is arithmetic, on numbers that exist. A path's parent map must exist. */
  | {
      readonly kind: 'update';
      readonly key: Key;
      readonly set?: readonly { readonly path: Path; readonly value: Json }[];
      readonly add?: readonly { readonly path: Path; readonly by: number }[];
      readonly remove?: readonly Path[];
      readonly when: readonly Condition[];
    }
  | { readonly kind: 'delete'; readonly key: Key; readonly when: readonly Condition[] }
  | { readonly kind: 'check'; readonly key: Key; readonly when: readonly Condition[] };

/**
 * `refused`: nothing was written; each failed condition with the item as it is now, where there is one. A conflict with another
 * transaction brings no item: `conflict` lists the indexes, to be retried with jitter by whoever knows whether it still makes sense.
 */
export type CommitResult =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly failed: readonly { readonly index: number; readonly item?: Item }[] }
  | { readonly outcome: 'conflict' };

export interface CommitOptions {
  /**
   * Whoever commits looks again after a refusal, and finds there what it has made itself. Then one change needs no transaction, though
   * after a lost answer its repetition may be refused.
   */
  readonly rereads?: boolean;
}

export interface ReadOptions {
  /** What is answered may be some moments old, for half the price: where whatever follows from it is checked again by a commit. */
  readonly eventual?: boolean;
}

export interface QueryOptions extends ReadOptions {
  /** Sort keys that begin with this. */
  readonly prefix?: string;
  /** Only sort keys after this one (or before it, with `descending`); exclusive. */
  readonly after?: string;
  readonly descending?: boolean;
  /** At most this many items; a page may be shorter and still have a `next`. */
  readonly limit?: number;
}

export interface Page {
  readonly items: readonly Item[];
  /** Pass as `after` to go on; absent at the end. */
  readonly next?: string;
}

/** An item before and after a commit; the one that there is where it was made or taken away. */
export interface ItemChange {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

/** Reads within a commit. */
export type ReadItem = (key: Key) => Item | undefined;

/** Writes what follows from changes, within the commits that make them. */
export interface Follower {
  /** Which items it wants to hear of. */
  readonly follows: (key: Key) => boolean;
  /** Answers items to be written. `read` sees what the commit has written. Never throws: nobody's commit fails for its sake. */
  readonly entail: (change: ItemChange, read: ReadItem) => readonly Item[];
  /** What it has answered is on disk. */
  readonly onWritten: () => void;
}

export interface Table {
  /** Strongly consistent unless it may be eventual. */
  get(key: Key, options?: ReadOptions): Promise<Item | undefined>;
  /** Strongly consistent unless it may be eventual; at most 100 keys; missing ones are left out; any order. */
  getMany(keys: readonly Key[], options?: ReadOptions): Promise<Item[]>;
  /** Strongly consistent unless it may be eventual; one partition, in the order of sort keys (by UTF-8 bytes). */
  query(pk: string, options?: QueryOptions): Promise<Page>;
  /** Eventually consistent: the history index only. `next` and `after` are the index's sort keys, which must be unique. */
  queryHistory(pk: string, options?: QueryOptions): Promise<Page>;
  /**
   * At most 100 changes, no item twice, all or nothing. Throws on faults of the store (ThrottlingException; after
   * ServiceUnavailableException the commit may have been made), ClientException on what is too large to be stored, and
   * TableUsageError on what can never succeed. One change costs half of what a transaction does, where repeating it changes nothing
   * (without `add`, and with conditions only on what it leaves alone) or its caller `rereads`.
   */
  commit(changes: readonly Change[], options?: CommitOptions): Promise<CommitResult>;
  /** From now on this one, in place of any before. Absent where a stream tells other processes of what has changed. */
  follow?(follower: Follower): void;
  close(): Promise<void>;
}

/** The most changes that one commit may hold: DynamoDB's limit for TransactWriteItems, kept by both stores. */
export const maxChangesPerCommit = 100;
