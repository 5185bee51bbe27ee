/** What DynamoDB says that requests consumed: read and write units, indexes and the double price of transactions included. */
import type { Wire } from './dynamodb-faults.ts';

const reads = ['GetItem', 'BatchGetItem', 'Query', 'TransactGetItems'];
const writes = ['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems', 'BatchWriteItem'];

export class ConsumedUnits {
  read = 0;
  write = 0;

  /** The input that makes DynamoDB say it. */
  asking(operation: string, input: Wire): Wire {
    return [...reads, ...writes].includes(operation) ? { ...input, ReturnConsumedCapacity: 'TOTAL' } : input;
  }

  /** A request that failed is taken for free: what a refused condition costs is not said in its answer. */
  add(operation: string, { ConsumedCapacity }: Wire): void {
    const tables = ConsumedCapacity === undefined ? [] : [ConsumedCapacity].flat();
    const units = tables.reduce<number>((sum, table) => sum + Number(Object(table).CapacityUnits), 0);
    if (writes.includes(operation)) this.write += units;
    else this.read += units;
  }
}
