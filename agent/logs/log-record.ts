/**
 * What the agent keeps in a file beside a container's output: how much of it is kept, and from where on. Replaced whole; without a sync,
 * because after a power cut the hole in the file itself says where it begins (log-head.ts).
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { jsonFileLog, logTargetSchema } from '../../core/model/log-target.ts';

const logRecordSchema = z.object({
  target: logTargetSchema,
  /** Where what is kept of each file begins. */
  heads: z.object({ stdout: z.number(), stderr: z.number() }),
  /** Nothing is written any more. */
  isFinished: z.boolean(),
  /** Why it is not sent on now, and since when. */
  trouble: z.object({ since: z.number(), message: z.string() }).optional(),
});
export type LogRecord = z.infer<typeof logRecordSchema>;

/** Where nobody says anything. */
export const defaultLog = jsonFileLog(10 * 1024 * 1024, 5);

const fileName = 'log.json';

/** Of a log without a record, which an older agent made, what holds where nothing was asked for. */
export async function readLogRecord(directory: string): Promise<LogRecord> {
  try {
    return logRecordSchema.parse(JSON.parse(await readFile(join(directory, fileName), 'utf8')));
  } catch {
    return { target: defaultLog, heads: { stdout: 0, stderr: 0 }, isFinished: false };
  }
}

export async function writeLogRecord(directory: string, record: LogRecord): Promise<void> {
  const path = join(directory, fileName);
  await writeFile(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}
