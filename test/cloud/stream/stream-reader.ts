/**
 * Reads the emulator's stream of one table and makes of it what DynamoDB's would be: its region, no records of writes that changed
 * nothing, and several shards, among which only the records of one partition keep their order.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { EmulatorCall } from '../dynamo/emulator.ts';

const recordSchema = z.object({
  eventID: z.string(),
  eventName: z.enum(['INSERT', 'MODIFY', 'REMOVE']),
  eventVersion: z.string(),
  eventSource: z.string(),
  awsRegion: z.string(),
  userIdentity: z.unknown().optional(),
  dynamodb: z.object({
    Keys: z.record(z.string(), z.object({ S: z.string() })),
    NewImage: z.record(z.string(), z.unknown()).optional(),
    OldImage: z.record(z.string(), z.unknown()).optional(),
    SequenceNumber: z.string(),
    SizeBytes: z.number(),
    StreamViewType: z.string(),
    ApproximateCreationDateTime: z.number(),
  }),
});
export type StreamRecord = z.infer<typeof recordSchema> & { readonly eventSourceARN: string };

export const shardCount = 3;
const idlePollMs = 25;

export type Deliver = (shard: number, records: readonly StreamRecord[]) => void;

export class StreamReader {
  readonly #call: EmulatorCall;
  readonly #source: { readonly tableName: string; readonly streamArn: string; readonly region: string };
  readonly #listeners: Deliver[] = [];
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;
  /** Sequence number; the emulator's are whole numbers that grow. */
  #handedOn = 0;

  constructor(call: EmulatorCall, source: { tableName: string; streamArn: string; region: string }) {
    this.#call = call;
    this.#source = source;
  }

  subscribe(listener: Deliver): void {
    this.#listeners.push(listener);
  }

  /** From the stream's beginning. */
  start(): void {
    this.#running = this.#read();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** Everything that was written before this call has been handed on. */
  async caughtUp(): Promise<void> {
    const written = positionOf(await this.#iterator('LATEST'));
    while (this.#handedOn < written && !this.#end.signal.aborted) await delay(1);
  }

  async #iterator(ShardIteratorType: 'LATEST' | 'TRIM_HORIZON'): Promise<string> {
    const { tableName: TableName } = this.#source;
    const { Streams } = await this.#call('DynamoDBStreams', 'ListStreams', { TableName });
    const { StreamArn } = Object(Streams)[0];
    const { StreamDescription } = await this.#call('DynamoDBStreams', 'DescribeStream', { StreamArn });
    const { ShardId } = Object(StreamDescription).Shards[0];
    const { ShardIterator } = await this.#call('DynamoDBStreams', 'GetShardIterator', {
      StreamArn,
      ShardId,
      ShardIteratorType,
    });
    return String(ShardIterator);
  }

  async #read(): Promise<void> {
    let iterator: unknown = await this.#iterator('TRIM_HORIZON');
    while (!this.#end.signal.aborted) {
      const answer = await this.#call('DynamoDBStreams', 'GetRecords', { ShardIterator: iterator });
      iterator = answer.NextShardIterator;
      const raw = z.array(recordSchema).parse(answer.Records);
      const records = raw.flatMap((record) => this.#asOnAws(record));
      for (const [shard, some] of byShard(records)) for (const listener of this.#listeners) listener(shard, some);
      this.#handedOn = Number(raw.at(-1)?.dynamodb.SequenceNumber ?? this.#handedOn);
      if (records.length === 0) await delay(idlePollMs, undefined, { signal: this.#end.signal }).catch(() => {});
    }
  }

  #asOnAws(record: z.infer<typeof recordSchema>): StreamRecord[] {
    const { OldImage, NewImage } = record.dynamodb;
    if (record.eventName === 'MODIFY' && isDeepStrictEqual(OldImage, NewImage)) return [];
    const { region, streamArn } = this.#source;
    return [{ ...record, awsRegion: region, eventSourceARN: streamArn }];
  }
}

/** The emulator's iterators say in JSON how many records are before them; the end of the range in its description is none of use. */
const positionOf = (iterator: string): number =>
  z.object({ position: z.number() }).parse(JSON.parse(Buffer.from(iterator, 'base64').toString('utf8'))).position;

const byShard = (records: readonly StreamRecord[]): Map<number, StreamRecord[]> =>
  Map.groupBy(records, ({ dynamodb }) => shardOf(Object.values(dynamodb.Keys.pk ?? {}).join('')));

export const shardOf = (partitionKey: string): number =>
  createHash('sha256').update(partitionKey).digest().readUInt16BE(0) % shardCount;
