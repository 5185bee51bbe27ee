/**
 * What stands between a stream and a function: filters, batches, and what happens to a batch that fails (partial batches, bisecting,
 * age and attempts, the dead-letter queue). A shard waits while one of its batches is tried again, as on AWS.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LambdaFunction } from '../lambda/lambda-function.ts';
import { passes } from './filter.ts';
import { type StreamRecord, shardCount } from './stream-reader.ts';

export interface MappingConfig {
  readonly target: Pick<LambdaFunction, 'invoke' | 'config'>;
  readonly filters: readonly string[];
  readonly batchSize: number;
  readonly bisects: boolean;
  readonly reportsItemFailures: boolean;
  /** Infinite where it is undefined. */
  readonly maxAttempts: number | undefined;
  readonly maxAgeSeconds: number | undefined;
  /** Takes what was given up. */
  readonly giveUp: (message: object) => void;
}

interface Batch {
  readonly records: readonly StreamRecord[];
  /** Retries that this batch has behind it; splitting one does not count. */
  readonly attempts: number;
}

const firstBackoffMs = 20;
const longestBackoffMs = 500;

export class EventSourceMapping {
  #config: MappingConfig;
  readonly #queues: StreamRecord[][] = Array.from({ length: shardCount }, () => []);
  readonly #working = new Map<number, Promise<void>>();
  readonly #end = new AbortController();
  /** Tests move it to let records grow old. */
  now = (): number => Date.now();
  /** How a batch reaches the function: tests deliver it twice, in parts or in another order of its partitions. */
  deliveries: (records: readonly StreamRecord[]) => readonly (readonly StreamRecord[])[] = (records) => [records];
  delivered = 0;

  constructor(config: MappingConfig) {
    this.#config = config;
  }

  get target(): MappingConfig['target'] {
    return this.#config.target;
  }

  update(config: MappingConfig): void {
    this.#config = config;
  }

  push(shard: number, records: readonly StreamRecord[]): void {
    const wanted = records.filter((record) => passes(record, this.#config.filters));
    this.#queues[shard]?.push(...wanted);
    if (wanted.length === 0 || this.#working.has(shard)) return;
    this.#working.set(
      shard,
      this.#work(shard).finally(() => this.#working.delete(shard)),
    );
  }

  /** Nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return this.#queues.every(({ length }) => length === 0) && this.#working.size === 0;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#working.values());
  }

  async #work(shard: number): Promise<void> {
    const queue = this.#queues[shard] ?? [];
    while (queue.length > 0 && !this.#end.signal.aborted) {
      const records = queue.splice(0, this.#config.batchSize);
      for (const some of this.deliveries(records)) await this.#process({ records: some, attempts: 0 });
    }
  }

  /** Returns when each record was taken or given up. */
  async #process(first: Batch): Promise<void> {
    const left: Batch[] = [first];
    while (!this.#end.signal.aborted) {
      const batch = left.shift();
      if (batch === undefined) return;
      const failed = await this.#tryOnce(batch.records);
      if (failed === undefined) continue;
      left.unshift(...this.#next(batch, failed));
      const backoff = Math.min(longestBackoffMs, firstBackoffMs * 2 ** batch.attempts);
      await delay(backoff, undefined, { signal: this.#end.signal }).catch(() => {});
    }
  }

  /** The records that failed; undefined where all were taken. */
  async #tryOnce(records: readonly StreamRecord[]): Promise<readonly StreamRecord[] | undefined> {
    this.delivered += records.length;
    const outcome = await this.#config.target.invoke({ Records: records });
    if (outcome.kind !== 'answered') return records;
    if (!this.#config.reportsItemFailures) return undefined;
    const { batchItemFailures = [] } = Object(outcome.payload ?? {});
    if (batchItemFailures.length === 0) return undefined;
    const failing = new Set(batchItemFailures.map(({ itemIdentifier }: { itemIdentifier: string }) => itemIdentifier));
    const from = records.findIndex(({ dynamodb }) => failing.has(dynamodb.SequenceNumber));
    return from < 0 ? records : records.slice(from);
  }

  #next({ records, attempts }: Batch, failed: readonly StreamRecord[]): Batch[] {
    const { bisects, maxAgeSeconds, maxAttempts } = this.#config;
    const oldest = this.now() / 1000 - (maxAgeSeconds ?? Number.POSITIVE_INFINITY);
    const [tooOld, fresh] = [
      failed.filter(({ dynamodb }) => dynamodb.ApproximateCreationDateTime < oldest),
      failed.filter(({ dynamodb }) => dynamodb.ApproximateCreationDateTime >= oldest),
    ];
    if (tooOld.length > 0) this.#giveUp(tooOld, 'RecordAgeExceeded', attempts);
    if (fresh.length === 0) return [];
    if (fresh.length < records.length) return [{ records: fresh, attempts: attempts + 1 }];
    if (bisects && fresh.length > 1) {
      const middle = Math.floor(fresh.length / 2);
      return [fresh.slice(0, middle), fresh.slice(middle)].map((half) => ({ records: half, attempts }));
    }
    if (maxAttempts !== undefined && attempts >= maxAttempts) {
      this.#giveUp(fresh, 'RetryAttemptsExhausted', attempts);
      return [];
    }
    return [{ records: fresh, attempts: attempts + 1 }];
  }

  #giveUp(records: readonly StreamRecord[], condition: string, attempts: number): void {
    const { name, arn } = { name: this.#config.target.config.name, arn: this.#config.target.config.arn };
    const numbers = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
    this.#config.giveUp({
      requestContext: { functionArn: arn, functionName: name, condition, approximateInvokeCount: attempts + 1 },
      version: '1.0',
      DDBStreamBatchInfo: {
        batchSize: records.length,
        startSequenceNumber: numbers[0],
        endSequenceNumber: numbers.at(-1),
        streamArn: records[0]?.eventSourceARN,
      },
    });
  }
}
