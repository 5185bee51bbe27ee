/** Where what a container writes goes: its logConfiguration as the agent gets it, with every default resolved. */
import { z } from 'zod';

const mib = 1024 * 1024;

/** Every log is kept on its host: for `gantry logs`, and until it is sent on. */
const keptSchema = z.object({
  /** So much is kept, standard output and standard error together. */
  maxBytes: z.number().int().positive(),
  /** So much of the oldest goes at a time. */
  dropBytes: z.number().int().positive(),
});

const jsonFileSchema = keptSchema.extend({ driver: z.literal('json-file') });

const awslogsSchema = keptSchema.extend({
  driver: z.literal('awslogs'),
  region: z.string(),
  group: z.string(),
  /** Absent: named by the container's id on its host. */
  stream: z.string().optional(),
  /** Whether the group is made where it is missing. */
  createsGroup: z.boolean(),
  /** How a line begins that begins an event (awslogs-datetime.ts); absent: every line is one. */
  datetimeFormat: z.string().optional(),
  /** Blocking: a container whose log cannot be sent is held up. Non-blocking: what is more than `maxBufferBytes` is left out. */
  mode: z.enum(['blocking', 'non-blocking']),
  maxBufferBytes: z.number().int().positive(),
});
export type AwslogsTarget = z.infer<typeof awslogsSchema>;

export const logTargetSchema = z.discriminatedUnion('driver', [jsonFileSchema, awslogsSchema]);
export type LogTarget = z.infer<typeof logTargetSchema>;

/** Docker's `max-size` and `max-file`. */
export const jsonFileLog = (maxSizeBytes: number, maxFiles: number): LogTarget => ({
  driver: 'json-file',
  maxBytes: maxSizeBytes * maxFiles,
  // Of a single file Docker would drop everything.
  dropBytes: maxFiles === 1 ? Math.ceil(maxSizeBytes / 2) : maxSizeBytes,
});

/** As much as that, or twice what may wait where that is more. */
export const awslogsLog = (log: Omit<AwslogsTarget, 'driver' | 'maxBytes' | 'dropBytes'>): AwslogsTarget => ({
  driver: 'awslogs',
  maxBytes: Math.max(50 * mib, 2 * log.maxBufferBytes),
  dropBytes: 10 * mib,
  ...log,
});
