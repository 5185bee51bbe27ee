/**
 * `npm run test:chaos`: sets the machine up, then becomes the test that kills everything at random (docs/operating.md). Needs root. A
 * shorter run is part of `npm test`.
 */
import { delimiter, join } from 'node:path';
import { handOver } from '../bin/hand-over.mjs';
import { childPath, machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { main, setUp } from './setup.mjs';

await main(async () => {
  const facts = machineFacts();
  await setUp('test', { facts });
  const env = {
    ...process.env,
    PATH: [join(facts.repository, 'node_modules/.bin'), childPath(facts)].join(delimiter),
    NODE_COMPILE_CACHE: join(facts.repository, 'node_modules/.cache/compiled'),
  };
  handOver(node24(facts), [join(facts.repository, 'test/chaos/main.ts'), ...process.argv.slice(2)], env);
});
