/**
 * `npm run bench -- NAME`: sets the machine up as quickstart does, with Docker where the bench is to be compared with it, then becomes
 * the benchmark.
 */
import { machineFacts } from './machine.mjs';
import { becomeProgram } from './node24.mjs';
import { main, setUp } from './setup.mjs';

// Standard output is the bench's, which may be JSON.
const say = (line) => console.error(`set-up: ${line}`);

await main(async () => {
  const facts = machineFacts();
  const args = process.argv.slice(2);
  await setUp('quickstart', { facts, say });
  if (args.includes('--docker')) await setUp('docker', { facts, say });
  becomeProgram(facts, 'bench/main.ts', args);
});
