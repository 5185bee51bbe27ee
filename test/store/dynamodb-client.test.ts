/** How the distributed store meets DynamoDB's faults, one at a time, and how it makes its table. */
import {
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DynamoDbTableOptions, openDynamoDbTable } from '../../control/store/dynamodb.ts';
import type { Change, Condition, Table } from '../../control/store/table.ts';
import { halfOfBatch, LostAnswer } from '../support/dynamodb-faults.ts';
import { anyCredentials, type Dynoxide, startDynoxide, whyNoDynoxide } from '../support/dynoxide.ts';
import { item, put } from './conformance/support.ts';

/** What becomes of one request: it is sent, or fails before, or its answer is lost, or it is made in part. */
type Fate = 'sent' | 'answer lost' | 'in part' | { readonly name: string; readonly [member: string]: unknown };

interface Traced extends AsyncDisposable {
  readonly table: Table;
  /** The operations sent or failed, in order. */
  readonly operations: string[];
  /** What was waited for, in milliseconds. */
  readonly waits: number[];
}

function meetFates(fateOf: (operation: string, count: number) => Fate, operations: string[]) {
  return (client: DynamoDBClient): void =>
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const operation = String(context.commandName).replace(/Command$/, '');
        const fate = fateOf(operation, operations.push(operation));
        if (typeof fate === 'object') throw Object.assign(new Error(fate.name), fate);
        if (fate === 'in part') {
          const half = async (_: string, input: object) => ({ ...(await next({ ...args, input })).output });
          return { response: undefined, output: { $metadata: {}, ...(await halfOfBatch({ ...args.input }, half)) } };
        }
        const result = await next(args);
        if (fate === 'answer lost') throw new LostAnswer('socket hang up');
        return result;
      },
      { step: 'initialize', name: 'fates' },
    );
}

const throttled: Fate = { name: 'ProvisionedThroughputExceededException' };
const cancelled = (...codes: string[]): Fate => ({
  name: 'TransactionCanceledException',
  CancellationReasons: codes.map((Code) => ({ Code })),
});
const first =
  (fate: Fate) =>
  (_: string, count: number): Fate =>
    count === 1 ? fate : 'sent';

const absent: Condition[] = [{ item: 'absent' }];
const update = (changes: Partial<Extract<Change, { kind: 'update' }>>): Change => ({
  kind: 'update',
  key: { pk: 'p', sk: 's' },
  when: [],
  ...changes,
});
const key = { pk: 'p', sk: 's' };

describe.skipIf(whyNoDynoxide() !== undefined)(`DynamoDB ${whyNoDynoxide() ?? ''}`, () => {
  let dynoxide: Dynoxide;
  let tables = 0;
  beforeAll(async () => {
    dynoxide = await startDynoxide();
  });
  afterAll(() => dynoxide[Symbol.asyncDispose]());

  const connection = (): Pick<DynamoDbTableOptions, 'region' | 'endpoint' | 'credentials'> => ({
    region: 'us-east-1',
    endpoint: dynoxide.endpoint,
    credentials: anyCredentials,
  });

  /** A table that holds p/s = { n: 1 } and whose client meets these fates. */
  async function open(fateOf: (operation: string, count: number) => Fate = () => 'sent'): Promise<Traced> {
    tables += 1;
    const tableName = `table-${tables}`;
    const plain = await openDynamoDbTable({ ...connection(), tableName, create: true });
    await plain.commit([put(item('p', 's', { n: 1 }))]);
    await plain.close();
    const operations: string[] = [];
    const waits: number[] = [];
    const table = await openDynamoDbTable({
      ...connection(),
      tableName,
      configureClient: meetFates(fateOf, operations),
      random: () => 0.5,
      sleep: async (ms) => void waits.push(ms),
    });
    return { table, operations, waits, [Symbol.asyncDispose]: () => table.close() };
  }

  describe('throttling', () => {
    const calls: [string, (table: Table) => Promise<unknown>, Fate][] = [
      ['get', (table) => table.get(key), throttled],
      ['getMany', (table) => table.getMany([key]), { name: 'ThrottlingException' }],
      ['query', (table) => table.query('p'), { name: 'RequestLimitExceeded' }],
      ['a write', (table) => table.commit([put(item('p', 's'))]), throttled],
      ['a transaction', (table) => table.commit([put(item('p', 's'), ...absent)]), throttled],
      [
        'a part of one',
        (table) => table.commit([put(item('p', 's')), put(item('p', 't'))]),
        cancelled('None', 'ThrottlingError'),
      ],
    ];

    it.each(calls)('of %s: tried again eight times with jitter, then named', async (_, call, fate) => {
      await using traced = await open(() => fate);
      await expect(call(traced.table)).rejects.toMatchObject({ code: 'ThrottlingException' });
      expect(traced.operations).toHaveLength(8);
      // Half of the longest wait each time, because the random number is always a half.
      expect(traced.waits).toEqual([12.5, 25, 50, 100, 200, 400, 500]);
    });

    it.each(calls)('of %s: goes unnoticed when it ends', async (_, call, fate) => {
      await using traced = await open((_operation, count) => (count < 8 ? fate : 'sent'));
      await expect(call(traced.table)).resolves.toBeDefined();
    });
  });

  it('asks again for what a batch leaves out', async () => {
    await using traced = await open((operation, count) =>
      operation === 'BatchGetItem' && count < 6 ? 'in part' : 'sent',
    );
    const items = Array.from({ length: 60 }, (_, index) => item('batch', `k${index}`));
    await traced.table.commit(items.map((stored) => put(stored)));
    const found = await traced.table.getMany(items);
    expect(found.map(({ sk }) => sk).toSorted()).toEqual(items.map(({ sk }) => sk).toSorted());
    expect(traced.operations).toEqual(['TransactWriteItems', ...Array(5).fill('BatchGetItem')]);
    expect(traced.waits).toHaveLength(4);
  });

  describe('a lost answer', () => {
    const once: [string, Change[], string, Record<string, unknown> | undefined][] = [
      ['an addition', [update({ add: [{ path: ['n'], by: 5 }] })], 's', { n: 6 }],
      ['what is made once', [put(item('p', 't', { made: true }), ...absent)], 't', { made: true }],
      [
        'an update on a condition that it ends',
        [update({ set: [{ path: ['n'], value: 2 }], when: [{ path: ['n'], is: '=', value: 1 }] })],
        's',
        { n: 2 },
      ],
      [
        'a deletion on a condition',
        [{ kind: 'delete', key, when: [{ path: ['n'], is: '=', value: 1 }] }],
        's',
        undefined,
      ],
      [
        'several changes',
        [put(item('p', 't', { made: true }), ...absent), update({ add: [{ path: ['n'], by: 5 }] })],
        's',
        { n: 6 },
      ],
      ['a blind put', [put(item('p', 's', { n: 9 }))], 's', { n: 9 }],
      ['a blind deletion', [{ kind: 'delete', key, when: [] }], 's', undefined],
      [
        'an update on a condition that it leaves',
        [update({ set: [{ path: ['seen'], value: 2 }], when: [{ path: ['n'], is: '=', value: 1 }] })],
        's',
        { n: 1, seen: 2 },
      ],
    ];
    it.each(once)('to %s: done, exactly once', async (_, changes, sk, data) => {
      await using traced = await open(first('answer lost'));
      expect(await traced.table.commit(changes)).toEqual({ outcome: 'done' });
      expect((await traced.table.get({ pk: 'p', sk }))?.data).toEqual(data);
      expect(traced.operations.slice(0, 2)).toEqual([traced.operations[0], traced.operations[0]]);
    });

    it('to an earlier attempt that still runs: waited for', async () => {
      const running = { name: 'TransactionInProgressException' };
      await using traced = await open((_, count) => (count === 1 ? 'answer lost' : count === 2 ? running : 'sent'));
      expect(await traced.table.commit([update({ add: [{ path: ['n'], by: 5 }] })])).toEqual({ outcome: 'done' });
      expect((await traced.table.get(key))?.data).toEqual({ n: 6 });
    });

    it('each time: an error that says that it may have been done', async () => {
      await using traced = await open((operation) => (operation === 'GetItem' ? 'sent' : 'answer lost'));
      await expect(traced.table.commit([update({ add: [{ path: ['n'], by: 5 }] })])).rejects.toMatchObject({
        code: 'ServiceUnavailableException',
        message: expect.stringContaining(dynoxide.endpoint),
        hint: expect.stringContaining('may have been done'),
      });
      expect((await traced.table.get(key))?.data).toEqual({ n: 6 });
    });
  });

  describe('conflicts', () => {
    const taken = [put(item('p', 's'), ...absent), put(item('p', 't'))];
    it.each([
      ['of a write', { name: 'TransactionConflictException' }, [put(item('p', 's'))]],
      ['of a transaction', cancelled('None', 'TransactionConflict'), taken],
      ['beside throttling', cancelled('ThrottlingError', 'TransactionConflict'), taken],
    ])('%s: answered, not tried again', async (_, fate, changes) => {
      await using traced = await open(() => fate);
      expect(await traced.table.commit(changes)).toEqual({ outcome: 'conflict' });
      expect(traced.operations).toHaveLength(1);
    });

    it('beside a condition that failed: refused', async () => {
      await using traced = await open(() => cancelled('ConditionalCheckFailed', 'TransactionConflict'));
      expect(await traced.table.commit(taken)).toEqual({ outcome: 'refused', failed: [{ index: 0 }] });
    });
  });

  it('is paid for a transaction only where repeating the change could do harm', async () => {
    const cheap: [Change, string][] = [
      [put(item('p', 's')), 'PutItem'],
      [put(item('p', 's', { n: 2 }), { path: ['n'], is: '>', value: 0 }), 'PutItem'],
      [update({ set: [{ path: ['seen'], value: 1 }] }), 'UpdateItem'],
      [update({ remove: [['seen']], when: [{ path: ['n'], is: 'exists' }] }), 'UpdateItem'],
      [{ kind: 'delete', key, when: [] }, 'DeleteItem'],
    ];
    const dear: Change[] = [
      put(item('p', 's'), ...absent),
      put(item('p', 's', { n: 2 }), { path: ['n'], is: '=', value: 1 }),
      update({ add: [{ path: ['n'], by: 1 }] }),
      update({ set: [{ path: ['n'], value: 2 }], when: [{ path: ['n'], is: '=', value: 1 }] }),
      update({ set: [{ path: ['m'], value: {} }], when: [{ path: ['m', 'a'], is: 'absent' }] }),
      { kind: 'delete', key, when: [{ item: 'exists' }] },
      { kind: 'check', key, when: [{ item: 'exists' }] },
    ];
    for (const [change, operation] of [...cheap, ...dear.map((one) => [one, 'TransactWriteItems'] as const)]) {
      await using traced = await open();
      expect(await traced.table.commit([change])).toMatchObject({ outcome: expect.stringMatching(/done|refused/) });
      expect(traced.operations).toEqual([operation]);
    }
  });

  describe('faults that stay', () => {
    it('a server that is not there is named', async () => {
      const options = { ...connection(), endpoint: 'http://127.0.0.1:9', tableName: 't', sleep: async () => {} };
      const named = { code: 'ServiceUnavailableException', message: expect.stringContaining('http://127.0.0.1:9') };
      await expect(openDynamoDbTable({ ...options, create: true })).rejects.toMatchObject(named);
    });

    it('a table that is not there is named, at once', async () => {
      const waits: number[] = [];
      const sleep = async (ms: number): Promise<void> => void waits.push(ms);
      const table = await openDynamoDbTable({ ...connection(), tableName: 'nowhere', sleep });
      await expect(table.get(key)).rejects.toMatchObject({
        code: 'ServerException',
        message: expect.stringContaining('ResourceNotFound'),
      });
      expect(waits).toEqual([]);
      await table.close();
    });

    it("what is not Gantry's is refused with its key", async () => {
      await using traced = await open();
      const client = new DynamoDBClient({
        region: 'us-east-1',
        endpoint: dynoxide.endpoint,
        credentials: anyCredentials,
      });
      const foreign = [
        { pk: { S: 'p' }, sk: { S: 'foreign' }, data: { S: 'text' } },
        { pk: { S: 'p' }, sk: { S: 'foreign' }, v: { N: '1' }, data: { M: { a: { SS: ['x'] } } } },
      ];
      for (const Item of foreign) {
        await client.send(new PutItemCommand({ TableName: `table-${tables}`, Item }));
        await expect(traced.table.query('p')).rejects.toMatchObject({ code: 'ServerException' });
      }
      client.destroy();
    });
  });

  describe('the table', () => {
    const client = () =>
      new DynamoDBClient({ ...connection(), endpoint: dynoxide.endpoint, credentials: anyCredentials });

    it('is made once, by whoever comes first, with its expiry', async () => {
      const options = { ...connection(), tableName: 'made-once', create: true };
      const opened = await Promise.all([
        openDynamoDbTable(options),
        openDynamoDbTable(options),
        openDynamoDbTable(options),
      ]);
      const again = await openDynamoDbTable(options);
      await opened[0].commit([put(item('p', 's'))]);
      expect(await again.get(key)).toStrictEqual(item('p', 's'));
      const ttl = await client().send(new DescribeTimeToLiveCommand({ TableName: 'made-once' }));
      expect(ttl.TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
      await Promise.all([...opened, again].map((table) => table.close()));
    });

    it('of another shape is refused by name', async () => {
      await client().send(
        new CreateTableCommand({
          TableName: 'theirs',
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        }),
      );
      await expect(openDynamoDbTable({ ...connection(), tableName: 'theirs', create: true })).rejects.toMatchObject({
        code: 'ClientException',
        message: expect.stringContaining('theirs'),
      });
    });
  });
});
