/**
 * What every store must do, whatever it is made of: each sentence of control/store/table.ts as a test. Run by one file a store, and
 * once more with DynamoDB's faults injected: then any commit may end in a conflict, and the history index may be late.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import type { Table } from '../../control/store/table.ts';
import { describeCommits } from './conformance/commits.ts';
import { describeConcurrency } from './conformance/concurrency.ts';
import { describeModel } from './conformance/model.ts';
import { describeReads } from './conformance/reads.ts';
import { describeUsage } from './conformance/usage.ts';

export interface OpenTable extends AsyncDisposable {
  readonly table: Table;
}

export interface SuiteOptions {
  /** Shown as skipped, for this reason. */
  readonly skip?: string | undefined;
  /** How many random stories are told to the table and to its model. */
  readonly stories: number;
}

export function describeTable(name: string, open: () => Promise<OpenTable>, { skip, stories }: SuiteOptions): void {
  const title = skip === undefined ? name : `${name} (skipped: ${skip})`;
  describe.skipIf(skip !== undefined)(title, () => {
    let opened: OpenTable | undefined;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.[Symbol.asyncDispose]());
    const table = (): Table => {
      if (opened === undefined) throw new Error('the table is not open');
      return opened.table;
    };
    describeReads(table);
    describeCommits(table);
    describeUsage(table);
    describeConcurrency(table);
    describeModel(table, stories);
  });
}
