/**
 * Batches of the table's change stream: parses them, and answers Lambda which records have failed. Lambda tries again from the first of
 * them on, so everything behind it comes twice; one that can never be read is left in the dead-letter queue in the end.
 */
import { z } from 'zod';
import type { Log } from '../control/deps.ts';
import { itemOf } from '../control/store/attribute-values.ts';
import type { Item } from '../control/store/table.ts';

const imageSchema = z.record(z.string(), z.unknown());
const recordSchema = z.object({
  eventName: z.enum(['INSERT', 'MODIFY', 'REMOVE']),
  dynamodb: z.object({
    SequenceNumber: z.string(),
    /** Epoch seconds. */
    ApproximateCreationDateTime: z.number().optional(),
    OldImage: imageSchema.optional(),
    NewImage: imageSchema.optional(),
  }),
});

/** Read before the rest, so that a record that cannot be read can be named. */
const batchSchema = z.object({
  Records: z.array(z.object({ dynamodb: z.object({ SequenceNumber: z.string() }).loose() }).loose()),
});

export interface StreamRecord {
  readonly sequenceNumber: string;
  /** Epoch milliseconds. */
  readonly at: number | undefined;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** Hands the readable records to `process`, which answers the sequence numbers of those that failed. */
export async function answerBatch(
  event: unknown,
  log: Log,
  process: (records: readonly StreamRecord[]) => Promise<Iterable<string>>,
): Promise<BatchAnswer> {
  const failed = new Set<string>();
  const records = batchSchema.parse(event).Records.flatMap((raw) => {
    const sequenceNumber = raw.dynamodb.SequenceNumber;
    try {
      return [readRecord(raw)];
    } catch (error) {
      log.error({ err: error, sequenceNumber }, 'a record of the stream cannot be read');
      failed.add(sequenceNumber);
      return [];
    }
  });
  for (const sequenceNumber of await process(records)) failed.add(sequenceNumber);
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

function readRecord(raw: unknown): StreamRecord {
  const { dynamodb } = recordSchema.parse(raw);
  const { SequenceNumber, ApproximateCreationDateTime: seconds, OldImage, NewImage } = dynamodb;
  return {
    sequenceNumber: SequenceNumber,
    at: seconds === undefined ? undefined : seconds * 1000,
    before: OldImage === undefined ? undefined : itemOf(OldImage),
    after: NewImage === undefined ? undefined : itemOf(NewImage),
  };
}
