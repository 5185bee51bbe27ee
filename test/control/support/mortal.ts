/** A process that dies at its n-th act towards the store or the fleet, before it is done or after, and stays dead. */
import type { Fleet } from '../../../control/fleet/fleet.ts';
import type { Table } from '../../../control/store/table.ts';
import { ProcessGone } from './intercepted-table.ts';

export class Mortal {
  #left: number;
  readonly #after: boolean;

  constructor(acts: number, when: 'before' | 'after') {
    this.#left = acts;
    this.#after = when === 'after';
  }

  get isDead(): boolean {
    return this.#left <= 0;
  }

  readonly table = (table: Table): Table => ({
    get: (key) => this.#look(() => table.get(key)),
    getMany: (keys, options) => this.#look(() => table.getMany(keys, options)),
    query: (pk, options) => this.#look(() => table.query(pk, options)),
    queryHistory: (pk, options) => this.#look(() => table.queryHistory(pk, options)),
    commit: (changes, options) => this.#act(() => table.commit(changes, options)),
    close: () => table.close(),
  });

  readonly fleet = (fleet: Fleet): Fleet => ({
    offers: (cluster) => this.#look(() => fleet.offers(cluster)),
    launch: (order) => this.#act(() => fleet.launch(order)),
    list: (cluster) => this.#look(() => fleet.list(cluster)),
    terminate: (ids) => this.#act(() => fleet.terminate(ids)),
  });

  async #act<T>(act: () => Promise<T>): Promise<T> {
    if (this.isDead) throw new ProcessGone('the process is gone');
    this.#left -= 1;
    if (!this.isDead) return act();
    if (this.#after) await act();
    throw new ProcessGone('the process is gone');
  }

  /** Changes nothing, so it is no point to die at; but the dead do not look either. */
  #look<T>(look: () => Promise<T>): Promise<T> {
    return this.isDead ? Promise.reject(new ProcessGone('the process is gone')) : look();
  }
}
