/**
 * What DynamoDB does to its clients and no emulator does: throttling, conflicts, answers that are lost after the write was made,
 * batches answered in part, and an index that is behind. One injector, seeded; attached to a client as middleware, or put in front
 * of an emulator as a proxy (faulty-dynamo.ts). It never changes what a request does, only whether it does it and what is answered.
 */
import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { seededRandom } from '../../core/random.ts';
import { type HistoryQuery, type Image, LaggingIndex } from './lagging-index.ts';

/** Each the share, from 0 to 1, of the requests that it can happen to. */
export interface FaultRates {
  readonly throttling: number;
  readonly conflicts: number;
  readonly lostAnswers: number;
  readonly staleHistory: number;
}

export const noFaults: FaultRates = { throttling: 0, conflicts: 0, lostAnswers: 0, staleHistory: 0 };
export const someFaults: FaultRates = { throttling: 0.1, conflicts: 0.1, lostAnswers: 0.05, staleHistory: 0.5 };

/** How often each was injected. */
export type FaultCounts = { -readonly [fault in keyof FaultRates]: number } & { requests: number };

/** A request or an answer: the SDK's inputs and outputs have the form of the wire. */
export type Wire = { readonly [member: string]: unknown };
export type Forward = (operation: string, input: Wire) => Promise<Wire>;

/** An error answer of DynamoDB. */
export class InjectedError extends Error {
  readonly details: Wire;

  constructor(name: string, message: string, details: Wire = {}) {
    super(message);
    this.name = name;
    this.details = details;
  }
}

/** The connection breaks before the answer. */
export class LostAnswer extends Error {
  override readonly name = 'Error';
  readonly code = 'ECONNRESET';
}

interface WrittenItem {
  readonly TableName: string;
  readonly Key?: Image;
  readonly Item?: Image;
}

const writes = ['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems'];
const reads = ['GetItem', 'BatchGetItem', 'Query'];
const longestLag = 20;

export class FaultInjector {
  readonly counts: FaultCounts = { requests: 0, throttling: 0, conflicts: 0, lostAnswers: 0, staleHistory: 0 };
  rates: FaultRates;
  readonly #random: () => number;
  readonly #index = new LaggingIndex();
  /** Transactions that were made though their answer was lost: DynamoDB knows them again by their token. */
  readonly #madeTokens = new Set<unknown>();
  #recording: Promise<void> = Promise.resolve();

  constructor(seed: number, rates: FaultRates) {
    this.#random = seededRandom(seed);
    this.rates = rates;
  }

  async intercept(operation: string, input: Wire, forward: Forward): Promise<Wire> {
    if (![...writes, ...reads].includes(operation)) return forward(operation, input);
    this.counts.requests += 1;
    this.#index.tick();
    if (this.#happens('throttling')) return this.#throttle(operation, input, forward);
    const answer = writes.includes(operation)
      ? await this.#write(operation, input, forward)
      : await this.#read(operation, input, forward);
    if (!this.#happens('lostAnswers')) return answer;
    this.#madeTokens.add(input.ClientRequestToken);
    throw new LostAnswer('socket hang up');
  }

  #happens(fault: keyof FaultRates): boolean {
    const happens = this.#random() < this.rates[fault];
    if (happens) this.counts[fault] += 1;
    return happens;
  }

  /** DynamoDB has several ways of saying it. */
  async #throttle(operation: string, input: Wire, forward: Forward): Promise<Wire> {
    if (operation === 'BatchGetItem') return halfOfBatch(input, forward);
    if (operation === 'TransactWriteItems' && this.#random() < 0.5) {
      throw this.#cancelled(input, this.#random() < 0.5 ? 'ThrottlingError' : 'ProvisionedThroughputExceeded');
    }
    const name = this.#random() < 0.5 ? 'ThrottlingException' : 'ProvisionedThroughputExceededException';
    throw new InjectedError(name, 'Throughput exceeds the current capacity.');
  }

  async #write(operation: string, input: Wire, forward: Forward): Promise<Wire> {
    const isMade = this.#madeTokens.has(input.ClientRequestToken) && input.ClientRequestToken !== undefined;
    if (!isMade && this.#happens('conflicts')) {
      if (operation === 'TransactWriteItems') throw this.#cancelled(input, 'TransactionConflict');
      throw new InjectedError('TransactionConflictException', 'Transaction is ongoing for the item');
    }
    const answer = await forward(operation, input);
    // One after another, so that the last record of an item is its last state.
    this.#recording = this.#recording.then(() => this.#record(operation, input, forward));
    await this.#recording;
    return answer;
  }

  async #read(operation: string, input: Wire, forward: Forward): Promise<Wire> {
    const isStale = operation === 'Query' && input.IndexName !== undefined && this.#happens('staleHistory');
    return isStale ? this.#index.query(input as HistoryQuery) : forward(operation, input);
  }

  async #record(operation: string, input: Wire, forward: Forward): Promise<void> {
    const elements = operation === 'TransactWriteItems' ? (input.TransactItems as Wire[]) : [{ [operation]: input }];
    for (const { TableName, Key, Item } of elements.flatMap((element) => Object.values(element) as WrittenItem[])) {
      const key = Key ?? keyOf(Item);
      if (Item?.hpk === undefined && !this.#index.knows(key)) continue;
      const now = await forward('GetItem', { TableName, Key: key, ConsistentRead: true });
      this.#index.record(key, now.Item as Image | undefined, Math.floor(this.#random() * longestLag));
    }
  }

  #cancelled(input: Wire, code: string): InjectedError {
    const count = (input.TransactItems as readonly unknown[]).length;
    const hit = Math.floor(this.#random() * count);
    const CancellationReasons = Array.from({ length: count }, (_, index) => ({ Code: index === hit ? code : 'None' }));
    return new InjectedError('TransactionCanceledException', `Transaction cancelled: ${code}`, { CancellationReasons });
  }
}

const keyOf = (item: Image | undefined): Image => ({ pk: item?.pk, sk: item?.sk });

interface BatchRequest {
  readonly Keys: readonly Image[];
}

/** As DynamoDB answers a BatchGetItem that asks for more than it takes at the moment. */
export async function halfOfBatch(input: Wire, forward: Forward): Promise<Wire> {
  const requests = input.RequestItems as { readonly [table: string]: BatchRequest };
  const [[table, request] = ['', { Keys: [] }]] = Object.entries(requests);
  const half = Math.floor(request.Keys.length / 2);
  const part = (Keys: readonly Image[]) => ({ [table]: { ...request, Keys } });
  const UnprocessedKeys = part(request.Keys.slice(half));
  if (half === 0) return { Responses: {}, UnprocessedKeys };
  return { ...(await forward('BatchGetItem', { RequestItems: part(request.Keys.slice(0, half)) })), UnprocessedKeys };
}

/** Attaches the injector to a client: for the option `configureClient` of openDynamoDbTable. */
export function injectFaults(client: DynamoDBClient, injector: FaultInjector): void {
  const ownReads = new WeakSet<object>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (ownReads.has(args.input)) return next(args);
      const operation = String(context.commandName).replace(/Command$/, '');
      let response: unknown;
      const forward: Forward = async (name, input) => {
        if (name !== operation) {
          const Key = input.Key as Record<string, AttributeValue>;
          const command = new GetItemCommand({ TableName: String(input.TableName), Key, ConsistentRead: true });
          ownReads.add(command.input);
          return { ...(await client.send(command)) };
        }
        const result = await next({ ...args, input: input as typeof args.input });
        response = result.response;
        return { ...result.output };
      };
      const output = await injector.intercept(operation, { ...args.input }, forward).catch((error: unknown) => {
        throw error instanceof InjectedError ? Object.assign(error, error.details) : error;
      });
      return { response, output: { $metadata: {}, ...output } };
    },
    { step: 'initialize', name: 'faults' },
  );
}
