/** `gantry up` without a terminal: reads its options from a file, says what happens in its log, and ends as the foreground one does. */
import { readFileSync } from 'node:fs';
import { cloudOptionsSchema } from './options.ts';
import { up } from './up.ts';

const options = cloudOptionsSchema.parse(JSON.parse(readFileSync(process.argv[3] ?? '', 'utf8')));
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  await up(options, { say, ready: () => {} }, ended.signal);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
