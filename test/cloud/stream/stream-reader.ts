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

const shardSchema = z.object({
  ShardId: z.string(),
  SequenceNumberRange: z.object({ EndingSequenceNumber: z.string().optional() }),
});

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
    const { shard } = await this.#describe();
    const written = Number(shard.SequenceNumberRange.EndingSequenceNumber ?? 0);
    while (this.#handedOn < written && !this.#end.signal.aborted) await delay(1);
  }

  async #describe(): Promise<{ StreamArn: string; shard: z.infer<typeof shardSchema> }> {
    const { tableName: TableName } = this.#source;
    const { Streams } = await this.#call('DynamoDBStreams', 'ListStreams', { TableName });
    const StreamArn = (Streams as { StreamArn: string }[])[0]?.StreamArn ?? '';
    const { StreamDescription } = await this.#call('DynamoDBStreams', 'DescribeStream', { StreamArn });
    return { StreamArn, shard: shardSchema.parse(Object(StreamDescription).Shards[0]) };
  }

  async #read(): Promise<void> {
    const { StreamArn, shard: theShard } = await this.#describe();
    const { ShardId } = theShard;
    const from = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    let iterator = (await this.#call('DynamoDBStreams', 'GetShardIterator', from)).ShardIterator;
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

const byShard = (records: readonly StreamRecord[]): Map<number, StreamRecord[]> =>
  Map.groupBy(records, ({ dynamodb }) => shardOf(Object.values(dynamodb.Keys.pk ?? {}).join('')));

export const shardOf = (partitionKey: string): number =>
  createHash('sha256').update(partitionKey).digest().readUInt16BE(0) % shardCount;
