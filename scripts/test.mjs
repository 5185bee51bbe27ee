/**
 * `npm test`: everything, with real containers. Sets the machine up, checks types, format and lint, runs the tests under Node 24,
 * and ends with the line "N passed, N failed" and exit code 0 only if nothing failed. Arguments go to vitest (`npm test -- test/core`).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
  };
  const checks = runChecks(node, env, facts.repository);
  const tests = runTests(node, env, facts.repository, process.argv.slice(2));
  const summary = summarize({ checks, ...tests, root: facts.repository });
  const without = whyWithoutContainers('test', facts);
  if (without && process.env.CI === 'true') {
    summary.lines.push(`FAILED tests with real containers: ${without}, and under CI=true nothing is left out`);
    summary.failed += 1;
  } else if (without) summary.lines.push(`tests with real containers were left out: ${without}`);
  for (const line of summary.lines) console.log(line);
  console.log(`${summary.passed} passed, ${summary.failed} failed`);
  process.exitCode = summary.failed === 0 ? 0 : 1;
});

/** Runs vitest to its end; its report is undefined when it ended without writing one. */
function runTests(node, env, repository, args) {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-test-report-'));
  const reportFile = join(dir, 'report.json');
  try {
    const { status, signal } = spawnSync(
      node,
      [
        join(repository, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${reportFile}`,
        ...(process.stdout.isTTY ? [] : ['--no-color']),
        ...args,
      ],
      { cwd: repository, env, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    return { exit: signal ?? status, report: readReport(reportFile) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // vitest did not get as far; its exit code counts as the failure.
  }
}
