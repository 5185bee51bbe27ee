import { describe, expect, it } from 'vitest';
import type { Outcome } from '../lambda/execution-environment.ts';
import { eventually, patience } from '../patience.ts';
import { EventSourceMapping, type MappingConfig } from './event-source-mapping.ts';
import { passes } from './filter.ts';
import type { StreamRecord } from './stream-reader.ts';

const record = (number: number, ageSeconds = 0): StreamRecord => ({
  eventID: `${number}`,
  eventName: 'INSERT',
  eventVersion: '1.1',
  eventSource: 'aws:dynamodb',
  awsRegion: 'us-east-1',
  eventSourceARN: 'arn:stream',
  dynamodb: {
    Keys: { pk: { S: 'a' }, sk: { S: `${number}` } },
    SequenceNumber: `${number}`,
    SizeBytes: 10,
    StreamViewType: 'NEW_AND_OLD_IMAGES',
    ApproximateCreationDateTime: Date.now() / 1000 - ageSeconds,
  },
});

const records = (...numbers: number[]): StreamRecord[] => numbers.map((number) => record(number));

/** Runs the records through a mapping; `answer` says what comes of each batch of sequence numbers. */
async function run(
  given: readonly StreamRecord[],
  config: Partial<MappingConfig>,
  answer: (numbers: string[]) => unknown,
  change: (mapping: EventSourceMapping) => void = () => {},
) {
  const batches: string[][] = [];
  const dead: object[] = [];
  const mapping = new EventSourceMapping({
    target: {
      config: Object({ name: 'f', arn: 'arn:f' }),
      async invoke(event): Promise<Outcome> {
        const numbers = Object(event).Records.map(({ dynamodb }: StreamRecord) => dynamodb.SequenceNumber);
        batches.push(numbers);
        const payload = answer(numbers);
        return payload === 'fail'
          ? { kind: 'failed', errorType: 'E', errorMessage: '' }
          : { kind: 'answered', payload };
      },
    },
    filters: [],
    batchSize: 100,
    bisects: true,
    reportsItemFailures: true,
    maxAttempts: undefined,
    maxAgeSeconds: undefined,
    giveUp: (message) => dead.push(message),
    ...config,
  });
  change(mapping);
  mapping.push(0, given);
  await eventually(() => expect(mapping.isIdle).toBe(true));
  return { batches, dead };
}

const failures = (...numbers: number[]) => ({
  batchItemFailures: numbers.map((number) => ({ itemIdentifier: `${number}` })),
});

describe('an event source mapping', patience, () => {
  it('gives records in batches, in their order', async () => {
    const { batches } = await run(records(1, 2, 3), { batchSize: 2 }, () => null);
    expect(batches).toEqual([['1', '2'], ['3']]);
  });

  it('gives again from the first record that failed', async () => {
    let calls = 0;
    const { batches } = await run(records(1, 2, 3, 4), {}, () => (calls++ === 0 ? failures(4, 3) : failures()));
    expect(batches).toEqual([
      ['1', '2', '3', '4'],
      ['3', '4'],
    ]);
  });

  it('gives everything again where it is not told which failed, or where it knows none of that name', async () => {
    let calls = 0;
    const { batches } = await run(records(1, 2), { bisects: false }, () => (calls++ === 0 ? failures(9) : null));
    expect(batches).toEqual([
      ['1', '2'],
      ['1', '2'],
    ]);
  });

  it('splits what fails as a whole until the poison is alone, and gives that up', async () => {
    const poison = (numbers: string[]) => (numbers.includes('3') ? 'fail' : null);
    const { batches, dead } = await run(records(1, 2, 3, 4), { maxAttempts: 1 }, poison);
    expect(batches).toEqual([['1', '2', '3', '4'], ['1', '2'], ['3', '4'], ['3'], ['3'], ['4']]);
    expect(dead).toMatchObject([
      { DDBStreamBatchInfo: { batchSize: 1, startSequenceNumber: '3', endSequenceNumber: '3' } },
    ]);
  });

  it('gives up what has grown too old, and nothing younger', async () => {
    const given = [record(1, 100), record(2)];
    let calls = 0;
    const { batches, dead } = await run(given, { maxAgeSeconds: 60 }, () => (calls++ === 0 ? 'fail' : null));
    expect(batches).toEqual([['1', '2'], ['2']]);
    expect(dead).toMatchObject([{ requestContext: { condition: 'RecordAgeExceeded' } }]);
  });

  it('can be told to deliver twice', async () => {
    const { batches } = await run(
      records(1, 2),
      {},
      () => null,
      (mapping) => {
        mapping.deliveries = (batch) => [batch, batch];
      },
    );
    expect(batches).toEqual([
      ['1', '2'],
      ['1', '2'],
    ]);
  });

  it.each([
    [[], true],
    [['{"eventName":["INSERT"]}'], true],
    [['{"eventName":["REMOVE"]}'], false],
    [['{"eventName":["REMOVE"]}', '{"eventName":["INSERT"]}'], true],
    [['{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"a"}]}}}}'], true],
    [['{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"b"}]}}}}'], false],
    [['{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":["a"]}]}}}}'], false],
    [['{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":{"prefix":"b"}}]}}}}'], true],
    [['{"dynamodb":{"NewImage":{"v":{"S":[{"exists":false}]}}}}'], true],
    [['{"dynamodb":{"SizeBytes":[{"numeric":[">",5,"<=",10]}]}}'], true],
    [['{"dynamodb":{"SizeBytes":[{"numeric":["<",5]}]}}'], false],
    [['{"$or":[{"eventName":["REMOVE"]},{"awsRegion":["us-east-1"]}]}'], true],
    [['{"dynamodb":{"Keys":{"sk":{"S":[{"suffix":"1"}]}}},"eventName":["MODIFY"]}'], false],
  ])('filters by %j: %s', (patterns, expected) => {
    expect(passes(record(1), patterns)).toBe(expected);
  });

  it('fails on an operator that it does not know', () => {
    expect(() => passes(record(1), ['{"eventName":[{"regex":"."}]}'])).toThrow('is not known here');
  });
});
