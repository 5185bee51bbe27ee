/** `npm run smoke:aws`: brings the npm packages, then becomes the smoke test. No container runs here, so nothing else is installed. */
import { join } from 'node:path';
import { handOver } from '../bin/hand-over.mjs';
import { machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { main, setUpNpm } from './setup.mjs';

await main(async () => {
  const facts = machineFacts();
  setUpNpm(facts);
  handOver(node24(facts), [join(facts.repository, 'test/smoke/main.ts'), ...process.argv.slice(2)], process.env);
});
