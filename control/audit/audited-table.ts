/**
 * The store as one audited call sees it: its first change takes the call's entry along, in the same commit, so that there is no change of
 * a call without its entry, wherever a process ends. Knows nothing of what an entry says.
 */
import { type Change, type CommitOptions, type CommitResult, maxChangesPerCommit, type Table } from '../store/table.ts';

export interface AuditedTable {
  readonly table: Table;
  /** Whether a change was made, and so the entry is there. */
  readonly hasChanged: () => boolean;
}

/** `entryFor`: the change that writes the entry down, beside these that the call makes. */
export function auditedTable(table: Table, entryFor: (changes: readonly Change[]) => Change): AuditedTable {
  let changed = false;
  let carrier: Promise<unknown> | undefined;

  /** One that may fail takes the entry along alone; what is committed beside it waits until it is known whether it did. */
  async function commit(changes: readonly Change[], options?: CommitOptions): Promise<CommitResult> {
    while (!changed && carrier !== undefined) await carrier;
    if (changed || changes.every(({ kind }) => kind === 'check')) return table.commit(changes, options);
    const carried = carry(changes, options);
    carrier = carried.catch(() => {}).finally(() => (carrier = undefined));
    return carried;
  }

  async function carry(changes: readonly Change[], options?: CommitOptions): Promise<CommitResult> {
    const entry = entryFor(changes);
    const fits = changes.length < maxChangesPerCommit;
    if (!fits) await table.commit([entry]);
    const result = await table.commit(fits ? [...changes, entry] : changes, options);
    if (result.outcome === 'done') changed = true;
    return result;
  }

  return {
    table: {
      get: (...call) => table.get(...call),
      getMany: (...call) => table.getMany(...call),
      query: (...call) => table.query(...call),
      queryHistory: (...call) => table.queryHistory(...call),
      commit,
      close: () => table.close(),
    },
    hasChanged: () => changed,
  };
}
