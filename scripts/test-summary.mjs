/** From the outcome of the checks and vitest's JSON reports to the closing lines of `npm test`. Pure. */
import { relative } from 'node:path';

/**
 * @typedef {object} Run
 * @property {number | string | null} exit vitest's exit code, or the signal that ended it
 * @property {any} report vitest's JSON report; undefined if it wrote none
 */

/**
 * @param {object} outcome
 * @param {{ name: string, ok: boolean }[]} outcome.checks each counts as one test
 * @param {Run[]} outcome.runs of vitest
 * @param {string} outcome.root paths are shown relative to it
 * @returns {{ passed: number, failed: number, lines: string[] }}
 */
export function summarize({ checks, runs, root }) {
  const files = runs.flatMap(filesOf);
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const failures = [
    ...checks.filter(({ ok }) => !ok).map(({ name }) => name),
    ...runs.flatMap((run) => failuresOf(run, root)),
  ];
  return {
    passed: passed + checks.filter(({ ok }) => ok).length,
    failed: failures.length,
    lines: [...skippedLines(files, root), ...failures.map((failure) => `FAILED ${failure}`)],
  };
}

const filesOf = ({ report }) => report?.testResults ?? [];

function failuresOf(run, root) {
  const failures = filesOf(run).flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    // A file that cannot be loaded, or whose hooks fail, fails without a failed test of its own.
    if (status === 'failed' && failed.length === 0) return `${relative(root, name)}: ${message.split('\n')[0]}`;
    return failed.map(({ fullName }) => `${relative(root, name)}: ${fullName}`);
  });
  return run.exit !== 0 && failures.length === 0 ? [`vitest ended with ${run.exit}`] : failures;
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
