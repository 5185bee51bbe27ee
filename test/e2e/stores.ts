/** The stores that the end-to-end tests run over: SQLite, and DynamoDB with faults injected between the server and the emulator. */
import { someFaults } from '../support/dynamodb-faults.ts';
import { startFaultyDynamo } from '../support/faulty-dynamo.ts';

export interface Store {
  readonly name: string;
  /** Starts what the store needs beside the cloud; `upArgs` is what `gantry up` is told. */
  readonly start: () => Promise<AsyncDisposable & { readonly upArgs: readonly string[] }>;
}

const sqlite: Store = {
  name: 'SQLite',
  start: () => Promise.resolve({ upArgs: [], [Symbol.asyncDispose]: () => Promise.resolve() }),
};

const dynamodb: Store = {
  name: 'DynamoDB with faults',
  async start() {
    const dynamo = await startFaultyDynamo({ seed: 7, rates: someFaults });
    return {
      upArgs: ['--store', 'dynamodb', '--dynamodb-endpoint', dynamo.endpoint],
      [Symbol.asyncDispose]: () => dynamo[Symbol.asyncDispose](),
    };
  },
};

export const stores: readonly Store[] = [sqlite, dynamodb];
