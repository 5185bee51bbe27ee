/**
 * `npm run quickstart`: from a fresh clone to a container that ran. Sets the machine up, then becomes `gantry quickstart`, which
 * takes all arguments (`npm run quickstart -- --keep`).
 */
import { existsSync } from 'node:fs';
import { machineFacts } from './machine.mjs';
import { becomeProgram } from './node24.mjs';
import { main, setUp } from './setup.mjs';

await main(async () => {
  const args = process.argv.slice(2);
  const facts = machineFacts();
  // `gantry quickstart` reads these options itself; here they only tell what must be free before anything is changed.
  const runDirectory = optionOf(args, 'run-dir') ?? process.env.GANTRY_RUN_DIR ?? '/run/gantry';
  await setUp('quickstart', {
    facts,
    // A cloud that is up already is used, and has the port.
    ...(existsSync(runDirectory) ? {} : { port: Number(optionOf(args, 'port') ?? 8080) }),
    dataDirectory: optionOf(args, 'data'),
  });
  becomeProgram(facts, 'bin/gantry.ts', ['quickstart', ...args]);
});

/** `--name value` or `--name=value`. */
function optionOf(args, name) {
  const at = args.findIndex((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  if (at === -1) return undefined;
  return args[at].includes('=') ? args[at].slice(args[at].indexOf('=') + 1) : args[at + 1];
}
