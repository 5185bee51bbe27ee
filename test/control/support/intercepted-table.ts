/** A table whose commits pass through the test: to count them, to refuse them, or to let the process die at one. */
import type { Change, CommitResult, Table } from '../../../control/store/table.ts';

type Commit = Table['commit'];

export const interceptCommits = (
  table: Table,
  intercept: (changes: readonly Change[], forward: Commit) => Promise<CommitResult>,
): Table => ({
  get: (key) => table.get(key),
  getMany: (keys) => table.getMany(keys),
  query: (pk, options) => table.query(pk, options),
  queryHistory: (pk, options) => table.queryHistory(pk, options),
  commit: (changes, options) => intercept(changes, (forwarded) => table.commit(forwarded, options)),
  close: () => table.close(),
});

/** What happens between a loop's look at its list and its look at the tasks on it: called once, when tasks are read next. */
export class Meanwhile {
  #meanwhile: (() => Promise<unknown>) | undefined;

  next(meanwhile: () => Promise<unknown>): void {
    this.#meanwhile = meanwhile;
  }

  readonly wrap = (table: Table): Table => ({
    ...interceptCommits(table, (changes, forward) => forward(changes)),
    getMany: async (keys) => {
      const meanwhile = keys.some(({ sk }) => sk === 'task') ? this.#meanwhile : undefined;
      if (meanwhile === undefined) return table.getMany(keys);
      this.#meanwhile = undefined;
      await meanwhile();
      return table.getMany(keys);
    },
  });
}

export class ProcessGone extends Error {
  override readonly name = 'ProcessGone';
}

/**
 * Dies once, at the n-th commit after `arm`, before it is made or after (then only the answer is lost); and stays dead: what the
 * process would still do does not reach the store.
 */
export class Death {
  readonly #at: number;
  readonly #when: 'before' | 'after';
  #commits = 0;
  #armed = false;
  #dead = false;

  constructor(at: number, when: 'before' | 'after') {
    this.#at = at;
    this.#when = when;
  }

  get happened(): boolean {
    return this.#dead;
  }

  arm(): void {
    this.#armed = true;
  }

  disarm(): void {
    this.#armed = false;
  }

  readonly wrap = (table: Table): Table =>
    interceptCommits(table, async (changes, forward) => {
      if (this.#dead) throw new ProcessGone('the process is gone');
      if (!this.#armed) return forward(changes);
      this.#commits += 1;
      if (this.#commits < this.#at) return forward(changes);
      this.#dead = true;
      if (this.#when === 'after') await forward(changes);
      throw new ProcessGone('the process is gone');
    });
}
