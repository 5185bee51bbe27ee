/**
 * `npm test`: everything, with real containers. Sets the machine up, checks types, format and lint, runs the tests under Node 24,
 * and ends with the line "N passed, N failed" and exit code 0 only if nothing failed. Arguments go to vitest (`npm test -- test/core`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runChecks } from './check.mjs';
import { childPath, machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { main, setUp, whyWithoutContainers } from './setup.mjs';
import { summarize } from './test-summary.mjs';

await main(async () => {
  const facts = machineFacts();
  await setUp('test', { facts });
  const node = node24(facts);
  const env = {
    ...process.env,
    PATH: [join(facts.repository, 'node_modules/.bin'), childPath(facts)].join(delimiter),
    // The two projects run beside each other, and one of them stands back.
    GANTRY_TEST_TIME_FACTOR: '5',
    // Hundreds of processes load the same modules: half of what a start takes is compiling them.
    NODE_COMPILE_CACHE: join(facts.repository, 'node_modules/.cache/compiled'),
  };
  const checks = runChecks(node, env, facts.repository);
  const runs = await runTests(node, env, facts.repository, process.argv.slice(2));
  const summary = summarize({ checks, runs, root: facts.repository });
  const without = whyWithoutContainers('test', facts);
  if (without && process.env.CI === 'true') {
    summary.lines.push(`FAILED tests with real containers: ${without}, and under CI=true nothing is left out`);
    summary.failed += 1;
  } else if (without) summary.lines.push(`tests with real containers were left out: ${without}`);
  for (const line of summary.lines) console.log(line);
  console.log(`${summary.passed} passed, ${summary.failed} failed`);
  process.exitCode = summary.failed === 0 ? 0 : 1;
});

/**
 * Where real containers are waited for there is time for the other tests: the two projects run beside each other. The other tests stand
 * back, because those with containers take the longest.
 */
async function runTests(node, env, repository, args) {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-test-report-'));
  const vitest = (name, more, output, niceness = 0) =>
    run('nice', ['-n', `${niceness}`, node, join(repository, 'node_modules/vitest/vitest.mjs'), 'run', ...more], {
      reportFile: join(dir, `${name}.json`),
      options: { cwd: repository, env, stdio: ['ignore', output, output] },
    });
  try {
    if (args.length > 0) return [await vitest('all', args, 'inherit')];
    const hostOutput = join(dir, 'host.txt');
    const output = openSync(hostOutput, 'w');
    const runs = await Promise.all([
      vitest('fast', ['--project', 'fast'], 'inherit', 10),
      vitest('host', ['--project', 'host'], output),
    ]);
    closeSync(output);
    process.stdout.write(readFileSync(hostOutput));
    return runs;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs vitest to its end; its report is undefined when it ended without writing one. */
async function run(command, args, { reportFile, options }) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const color = process.stdout.isTTY ? [] : ['--no-color'];
  const [code, signal] = await once(spawn(command, [...args, ...reporters, ...color], options), 'exit');
  return { exit: signal ?? code, report: readReport(reportFile) };
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // vitest did not get as far; its exit code counts as the failure.
  }
}
