/**
 * `npm run smoke:aws`: deploys this repository's stack to a real account under a name of its own, shows step by step what only AWS can
 * show, and takes everything down again, also where a step fails. Costs a few cents: one small instance for a quarter of an hour.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openAccount } from './account.ts';
import { Smoke, steps } from './steps.ts';

const usage = `Usage: npm run smoke:aws -- --yes [--region REGION] [--context KEY=VALUE …] [--keep]
  --yes      deploys to the account of your AWS credentials, at its cost
  --context  as gantry:KEY of bin/app.ts, for example hostsReservedConcurrency=0 in a new account
  --keep     leaves the stack there when a step failed
`;

const { values } = parseArgs({
  options: {
    yes: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    region: { type: 'string', default: process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? 'us-east-1' },
    context: { type: 'string', multiple: true, default: [] },
  },
});

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-smoke-'));
  try {
    const account = await openAccount({ region: values.region, directory, context: contextOf(values.context) });
    say(`account ${account.id}, region ${values.region}, stack ${account.stackName}`);
    if (!values.yes) {
      say(`Nothing was done. ${usage}`);
      return 2;
    }
    const failed = await runSteps(new Smoke(account));
    if (failed > 0 && values.keep) {
      say(`kept: npx cdk destroy -c gantry:stackName=${account.stackName}`);
      return 1;
    }
    const { code, output } = await account.destroy();
    say(code === 0 ? 'ok   is destroyed' : `FAIL is destroyed\n     ${output}`);
    return failed === 0 && code === 0 ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Those after a failed one fail for want of what it should have made, and say so; they may still show something. */
async function runSteps(smoke: Smoke): Promise<number> {
  let failed = 0;
  for (const { name, run } of steps) {
    const began = Date.now();
    try {
      const finding = await run(smoke);
      say(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)${finding === undefined ? '' : `: ${finding}`}`);
    } catch (error) {
      failed += 1;
      say(`FAIL ${name}\n     ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

function contextOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new Error(`--context ${pair} must be KEY=VALUE, for example hosts=1`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
