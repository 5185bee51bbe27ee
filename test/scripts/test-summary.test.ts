import { describe, expect, it } from 'vitest';
import { callScript } from '../support/call-script.ts';

const test = (status: string, title: string, group: string) => ({
  status,
  title,
  fullName: `${group} ${title}`,
  ancestorTitles: [group],
});
const passing = {
  name: '/clone/test/a.test.ts',
  status: 'passed',
  message: '',
  assertionResults: [test('passed', 'works', 'A')],
};
const ok = [{ name: 'types', ok: true }];

interface Run {
  readonly exit: number | string;
  readonly report?: object;
}

const summarize = ({ checks, ...run }: Run & { readonly checks: object[] }) => summarizeAll(checks, [run]);

const summarizeAll = (checks: object[], runs: readonly Run[]) =>
  callScript('test-summary.mjs', 'summarize', { root: '/clone', checks, runs });

describe('the closing lines of npm test', () => {
  it('count checks and tests that passed', () => {
    const summary = summarize({ checks: ok, exit: 0, report: { testResults: [passing] } });
    expect(summary).toEqual({ passed: 2, failed: 0, lines: [] });
  });

  it('name what failed, a check too', () => {
    const failing = {
      ...passing,
      status: 'failed',
      assertionResults: [test('failed', 'breaks', 'B'), test('passed', 'works', 'B')],
    };
    const summary = summarize({ checks: [{ name: 'types', ok: false }], exit: 1, report: { testResults: [failing] } });
    expect(summary).toEqual({ passed: 1, failed: 2, lines: ['FAILED types', 'FAILED test/a.test.ts: B breaks'] });
  });

  it('count a file that cannot be loaded as a failure', () => {
    const broken = { ...passing, status: 'failed', message: 'Cannot find module x\n  at y', assertionResults: [] };
    const summary = summarize({ checks: ok, exit: 1, report: { testResults: [passing, broken] } });
    expect(summary).toEqual({ passed: 2, failed: 1, lines: ['FAILED test/a.test.ts: Cannot find module x'] });
  });

  it.each([1, 'SIGKILL'])('count a run that ended with %s and no failed test as a failure', (exit) => {
    const summary = summarize({ checks: ok, exit, report: { testResults: [passing] } });
    expect(summary).toEqual({ passed: 2, failed: 1, lines: [`FAILED vitest ended with ${exit}`] });
    expect(summarize({ checks: ok, exit })).toEqual({
      passed: 1,
      failed: 1,
      lines: [`FAILED vitest ended with ${exit}`],
    });
  });

  it('count several runs together, each of which may have ended badly', () => {
    const other = { ...passing, name: '/clone/test/b.test.ts' };
    const runs = [
      { exit: 0, report: { testResults: [passing] } },
      { exit: 'SIGKILL', report: { testResults: [other] } },
      { exit: 1 },
    ];
    expect(summarizeAll(ok, runs)).toEqual({
      passed: 3,
      failed: 2,
      lines: ['FAILED vitest ended with SIGKILL', 'FAILED vitest ended with 1'],
    });
  });

  it('show what was skipped, a line a group', () => {
    const group = 'containers [skipped: needs root]';
    const skipping = { ...passing, assertionResults: [test('skipped', 'one', group), test('skipped', 'two', group)] };
    const summary = summarize({ checks: ok, exit: 0, report: { testResults: [skipping] } });
    expect(summary).toEqual({ passed: 1, failed: 0, lines: [`skipped test/a.test.ts: ${group} (2 tests)`] });
  });
});
