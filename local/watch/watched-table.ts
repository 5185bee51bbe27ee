/** The store, with each commit watched: how long it takes and how it ends. Changes nothing about it. */
import type { CommitResult, Table } from '../../control/store/table.ts';

/** Runs a commit of so many changes, and looks at it meanwhile. */
export type WatchCommit = (changes: number, run: () => Promise<CommitResult>) => Promise<CommitResult>;

export const watchedTable = (table: Table, watch: WatchCommit): Table => ({
  get: (...call) => table.get(...call),
  getMany: (...call) => table.getMany(...call),
  query: (...call) => table.query(...call),
  queryHistory: (...call) => table.queryHistory(...call),
  commit: (changes, options) => watch(changes.length, () => table.commit(changes, options)),
  ...(table.follow !== undefined && { follow: (follower) => table.follow?.(follower) }),
  close: () => table.close(),
});
