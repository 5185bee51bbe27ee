/** What DynamoDB says that the requests of each caller consumed: read and write units, indexes and the double price of transactions included. */
import type { Wire } from './dynamodb-faults.ts';

const reads = ['GetItem', 'BatchGetItem', 'Query', 'TransactGetItems'];
const writes = ['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems', 'BatchWriteItem'];

export interface Units {
  readonly read: number;
  readonly write: number;
}

/** With how many requests asked for them. */
export interface Consumed extends Units {
  readonly requests: number;
}

const none: Consumed = { read: 0, write: 0, requests: 0 };

export class ConsumedUnits {
  readonly #byKey = new Map<string, Consumed>();

  /** By the caller that signs with this access key. */
  by(accessKeyId: string): Consumed {
    return this.#byKey.get(accessKeyId) ?? none;
  }

  /** The input that makes DynamoDB say it. */
  asking(operation: string, input: Wire): Wire {
    return [...reads, ...writes].includes(operation) ? { ...input, ReturnConsumedCapacity: 'TOTAL' } : input;
  }

  /** A request that failed is taken for free: what a refused condition costs is not said in its answer. */
  add(operation: string, { ConsumedCapacity }: Wire, accessKeyId: string): void {
    const tables = ConsumedCapacity === undefined ? [] : [ConsumedCapacity].flat();
    const units = tables.reduce<number>((sum, table) => sum + Number(Object(table).CapacityUnits), 0);
    const { read, write, requests } = this.by(accessKeyId);
    const now = writes.includes(operation) ? { read, write: write + units } : { read: read + units, write };
    this.#byKey.set(accessKeyId, { ...now, requests: requests + 1 });
  }
}
