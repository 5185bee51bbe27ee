/** How far a log was sent: durably, so that after a crash no more is sent again than the one batch that nobody has acknowledged. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../../durable-file.ts';

const sentSchema = z.object({ stdout: z.number(), stderr: z.number() });
/** Where each file goes on behind what CloudWatch Logs has taken. */
export type Sent = z.infer<typeof sentSchema>;

const pathIn = (directory: string): string => join(directory, 'sent.json');

/** From the beginning where nobody has sent anything; and where that is not known any more, twice is better than not at all. */
export async function readSent(directory: string): Promise<Sent> {
  try {
    return sentSchema.parse(JSON.parse(await readFile(pathIn(directory), 'utf8')));
  } catch {
    return { stdout: 0, stderr: 0 };
  }
}

export const writeSent = (directory: string, sent: Sent): Promise<void> =>
  writeDurably(pathIn(directory), JSON.stringify(sent));
