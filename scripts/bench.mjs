/** `npm run bench -- <name>`: sets the machine up as quickstart does, then becomes the benchmark. */
import { machineFacts } from './machine.mjs';
import { becomeProgram } from './node24.mjs';
import { main, setUp } from './setup.mjs';

await main(async () => {
  const facts = machineFacts();
  await setUp('quickstart', { facts });
  becomeProgram(facts, 'bench/main.ts', process.argv.slice(2));
});
