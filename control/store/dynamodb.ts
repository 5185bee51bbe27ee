/**
 * The distributed store: the table in one DynamoDB table with one index. Reads and writes items;
 * never makes or changes the table itself.
 *
 * Every commit is exactly once under lost answers: either it carries a token by which DynamoDB recognises a repetition, or repeating
 * it changes nothing. Repetitions are made here and not by the SDK, because throttling also arrives inside of cancelled transactions
 * and partly answered batches. Conflicts are never repeated here: only the caller knows whether its change still makes sense.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { itemOf, keyAttributes } from './attribute-values.ts';
import { type Backoff, maxAttempts, waitBefore, withRetries } from './backoff.ts';
import { checkedCommit, checkedKey, checkedKeys, checkQuery } from './checks.ts';
import { isWorthRetrying, outcomeOf, storeFault, throttlingFault } from './dynamodb-errors.ts';
import { isRepeatable, isSetting, keyCondition, writeOf } from './dynamodb-requests.ts';
import { sortKeyRange } from './sort-key-range.ts';
import type {
  Change,
  CommitOptions,
  CommitResult,
  Item,
  Key,
  Page,
  QueryOptions,
  ReadOptions,
  Table,
} from './table.ts';
import { tableShape } from './table-shape.ts';

export interface DynamoDbTableOptions {
  readonly tableName: string;
  readonly region: string;
  /** Any endpoint that speaks DynamoDB; AWS' own for the region without it. */
  readonly endpoint?: string;
  /** The SDK's default chain without them. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Makes the table if it is not there, and waits until it can be used. Without it the table is taken on trust. */
  readonly create?: boolean;
  /** Called once with the client before it is used: for middleware. */
  readonly configureClient?: (client: DynamoDBClient) => void;
  readonly random?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
  /** A token that no other commit has. */
  readonly newToken?: () => string;
}

/** AWS advises not to give up on a transaction sooner than after five seconds. */
const timeouts = { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

export interface Connection {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Names the table in errors. */
  readonly where: string;
  readonly backoff: Backoff;
  readonly newToken: () => string;
}

/** Whatever is asked of one table goes this way. */
export function connectDynamoDb(options: DynamoDbTableOptions): Connection {
  const { tableName, region, endpoint, credentials, configureClient, random = Math.random } = options;
  const client = new DynamoDBClient({
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: 1,
    requestHandler: timeouts,
  });
  configureClient?.(client);
  const backoff = { random, sleep: options.sleep ?? ((ms: number) => delay(ms)) };
  const where = `DynamoDB table ${tableName} ${endpoint === undefined ? `in ${region}` : `at ${endpoint}`}`;
  return { client, tableName, where, backoff, newToken: options.newToken ?? randomUUID };
}

/** Opens the table. Throws only with `create`: ClientException when a table of that name has another shape. */
export async function openDynamoDbTable(options: DynamoDbTableOptions): Promise<Table> {
  const connection = connectDynamoDb(options);
  const { client, tableName, where, backoff } = connection;
  try {
    if (options.create) {
      // Loaded where it is needed: a function's table is made by its stack.
      const { ensureTable } = await import('./dynamodb-table.ts');
      await withRetries(() => ensureTable(client, tableName, backoff), isWorthRetrying, backoff);
    }
  } catch (error) {
    client.destroy();
    throw storeFault(error, where);
  }
  return new DynamoDbTable(connection);
}

class DynamoDbTable implements Table {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async get(key: Key, { eventual = false }: ReadOptions = {}): Promise<Item | undefined> {
    const Key = keyAttributes(checkedKey(key));
    const { client, tableName: TableName } = this.#connection;
    const { Item } = await this.#attempt(() =>
      client.send(new GetItemCommand({ TableName, Key, ConsistentRead: !eventual })),
    );
    return Item === undefined ? undefined : itemOf(Item);
  }

  async getMany(keys: readonly Key[], { eventual = false }: ReadOptions = {}): Promise<Item[]> {
    const { client, tableName, backoff } = this.#connection;
    const items: Item[] = [];
    let wanted: Record<string, AttributeValue>[] = checkedKeys(keys).map(keyAttributes);
    for (let fruitless = 0; wanted.length > 0; ) {
      const RequestItems = { [tableName]: { Keys: wanted, ConsistentRead: !eventual } };
      const answer = await this.#attempt(() => client.send(new BatchGetItemCommand({ RequestItems })));
      items.push(...(answer.Responses?.[tableName] ?? []).map(itemOf));
      const left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
      fruitless = left.length < wanted.length ? 0 : fruitless + 1;
      if (fruitless === maxAttempts) throw throttlingFault();
      if (left.length > 0) await waitBefore(fruitless + 1, backoff);
      wanted = left;
    }
    return items;
  }

  query(pk: string, options: QueryOptions = {}): Promise<Page> {
    return this.#page('table', pk, options);
  }

  queryHistory(pk: string, options: QueryOptions = {}): Promise<Page> {
    return this.#page('history', pk, options);
  }

  async commit(changes: readonly Change[], { rereads = false }: CommitOptions = {}): Promise<CommitResult> {
    const checked = checkedCommit(changes);
    const [only, ...others] = checked;
    const alone = only !== undefined && others.length === 0 && (isRepeatable(only) || (rereads && isSetting(only)));
    const token = this.#connection.newToken();
    return this.#attempt(async () => {
      try {
        await (alone ? this.#writeAlone(only) : this.#transact(checked, token));
        return { outcome: 'done' };
      } catch (error) {
        const outcome = outcomeOf(error, checked);
        if (outcome === undefined) throw error;
        return outcome;
      }
    });
  }

  async close(): Promise<void> {
    this.#connection.client.destroy();
  }

  async #writeAlone(change: Change): Promise<void> {
    const { client, tableName } = this.#connection;
    const { Put, Update, Delete } = writeOf(tableName, change);
    if (Put !== undefined) await client.send(new PutItemCommand(Put));
    if (Update !== undefined) await client.send(new UpdateItemCommand(Update));
    if (Delete !== undefined) await client.send(new DeleteItemCommand(Delete));
  }

  async #transact(changes: readonly Change[], ClientRequestToken: string): Promise<void> {
    const { client, tableName } = this.#connection;
    const TransactItems = changes.map((change) => writeOf(tableName, change));
    await client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }));
  }

  async #page(source: 'table' | 'history', pk: string, options: QueryOptions): Promise<Page> {
    checkQuery(pk, options);
    const range = sortKeyRange(options);
    if (range === undefined) return { items: [] };
    const { client, tableName: TableName } = this.#connection;
    const { names, sortKeyOf } = sources[source];
    const { input, edges } = keyCondition(names.partitionKey, names.sortKey, pk, range);
    const { limit = Number.POSITIVE_INFINITY, descending = false, eventual = false } = options;
    const Limit = Number.isFinite(limit) ? { Limit: limit + edges.length } : {};
    const read = source === 'table' ? { ConsistentRead: !eventual } : { IndexName: tableShape.history.indexName };
    const command = { TableName, ...input, ...read, ...Limit, ScanIndexForward: !descending };
    const answer = await this.#attempt(() => client.send(new QueryCommand(command)));
    const found = (answer.Items ?? []).map(itemOf).filter((item) => !edges.includes(sortKeyOf(item)));
    const items = found.slice(0, limit);
    const hasMore = answer.LastEvaluatedKey !== undefined || items.length < found.length;
    const last = items.at(-1);
    const next = last === undefined ? answer.LastEvaluatedKey?.[names.sortKey]?.S : sortKeyOf(last);
    return { items, ...(hasMore && next !== undefined && { next }) };
  }

  async #attempt<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await withRetries(send, isWorthRetrying, this.#connection.backoff);
    } catch (error) {
      throw storeFault(error, this.#connection.where);
    }
  }
}

/** What a query reads: the table, or its index, which is always eventual. */
const sources = {
  table: { names: tableShape, sortKeyOf: ({ sk }: Item): string => sk },
  history: { names: tableShape.history, sortKeyOf: ({ history }: Item): string => history?.sk ?? '' },
} as const;
