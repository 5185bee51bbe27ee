/** From the outcome of the checks and vitest's JSON report to the closing lines of `npm test`. Pure. */
import { relative } from 'node:path';

/**
 * @param {object} outcome
 * @param {{ name: string, ok: boolean }[]} outcome.checks each counts as one test
 * @param {number | string | null} outcome.exit vitest's exit code, or the signal that ended it
 * @param {any} outcome.report vitest's JSON report; undefined if it wrote none
 * @param {string} outcome.root paths are shown relative to it
 * @returns {{ passed: number, failed: number, lines: string[] }}
 */
export function summarize({ checks, exit, report, root }) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const count = (status) => tests.filter((test) => test.status === status).length;
  // A file that cannot be loaded, or whose hooks fail, fails without a failed test of its own.
  const brokenFiles = files.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const failures = [
    ...checks.filter(({ ok }) => !ok).map(({ name }) => name),
    ...files.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName }) => `${relative(root, name)}: ${fullName}`),
    ),
    ...brokenFiles.map(({ name, message }) => `${relative(root, name)}: ${message.split('\n')[0]}`),
  ];
  if (exit !== 0 && count('failed') === 0 && brokenFiles.length === 0) failures.push(`vitest ended with ${exit}`);
  return {
    passed: count('passed') + checks.filter(({ ok }) => ok).length,
    failed: failures.length,
    lines: [...skippedLines(files, root), ...failures.map((failure) => `FAILED ${failure}`)],
  };
}

/** One line a group of skipped tests; a group's name says why it is skipped (test/support/containers.ts). */
function skippedLines(files, root) {
  const groups = new Map();
  for (const { name, assertionResults } of files) {
    for (const { status, ancestorTitles, title } of assertionResults) {
      if (!['skipped', 'pending', 'todo', 'disabled'].includes(status)) continue;
      const group = `${relative(root, name)}: ${ancestorTitles[0] ?? title}`;
      groups.set(group, (groups.get(group) ?? 0) + 1);
    }
  }
  return [...groups].map(([group, count]) => `skipped ${group} (${count} ${count === 1 ? 'test' : 'tests'})`);
}
