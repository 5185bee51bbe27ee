/**
 * The tests with real containers, run where users run containers: under a kernel with cgroup v2 alone and systemd, by Node 24 in the
 * virtual machine. The same files pass on the machine itself in `npm test`, which may have version 1: so both versions behave the same.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { network } from '../guest/network.ts';
import { guestPath, type Machine, makeMachine } from './machine.ts';
import { repositoryInGuest } from './repository-disk.ts';

/** Beginnings of paths; every `*.host.test.ts` below belongs to it. GANTRY_VM_SUITE names others, for work on one of them. */
const suite = process.env.GANTRY_VM_SUITE?.split(' ') ?? [
  'test/agent/cgroups/',
  'test/agent/runtime/',
  'test/agent/network/',
];
/** What computes takes 10 to 20 times as long in software. */
const timeFactor = 15;

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().default(''),
      startTime: z.number(),
      endTime: z.number(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).default([]) }),
      ),
    }),
  ),
});

describe('the container tests under systemd and cgroup v2', () => {
  let machine: Machine;

  beforeAll(async () => {
    machine = makeMachine({ name: 'suite', memoryMib: 2048 });
    await machine.boot();
    // Instances of EC2 have it by the image; the tests make what is behind it themselves.
    await machine.sh(`ip route del ${network.metadata}/32`);
  });
  beforeEach(({ onTestFailed }) => onTestFailed(() => machine?.tellConsole()));
  afterAll(() => machine?.[Symbol.asyncDispose]());

  it('have a machine of that kind', async () => {
    expect(await machine.sh('stat -fc %T /sys/fs/cgroup')).toBe('cgroup2fs');
    expect(await machine.sh('ls /sys/fs/cgroup/*/tasks 2>/dev/null || echo none')).toBe('none');
    expect(await machine.sh('ps -o comm= -p 1')).toBe('systemd');
  });

  it('pass, every one', { timeout: 2_400_000 }, async () => {
    const { code } = await machine.guest.run(
      'systemd-run --quiet --wait --collect --pipe --property=Delegate=yes ' +
        `--working-directory=${repositoryInGuest} --setenv=PATH=${guestPath} --setenv=HOME=/root ` +
        `--setenv=CI=true --setenv=GANTRY_TEST_TIME_FACTOR=${timeFactor} ` +
        `${repositoryInGuest}/node_modules/.bin/node node_modules/vitest/vitest.mjs run --project host --no-isolate --no-color ` +
        `--reporter=verbose --reporter=json --outputFile.json=/run/report.json ${suite.join(' ')} >/dev/ttyS0 2>&1`,
    );
    const { testResults } = reportSchema.parse(JSON.parse(await machine.sh('cat /run/report.json')));
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    for (const { name, startTime, endTime, assertionResults } of testResults)
      machine.say(`${name}: ${assertionResults.length} tests in ${((endTime - startTime) / 1000).toFixed(0)} s`);
    const failures = tests.filter(({ status }) => status !== 'passed');
    for (const { fullName, status, failureMessages } of failures)
      machine.say(`${status} ${fullName}\n${failureMessages.join('\n')}`);
    expect(failures.map(({ fullName }) => fullName)).toEqual([]);
    expect(code, testResults.map(({ message }) => message).join('\n')).toBe(0);
    for (const path of suite) expect(testResults.map(({ name }) => name)).toContainEqual(expect.stringContaining(path));
  });

  it('leave nothing in the tree of control groups', async () => {
    const named = (pattern: string) => `-mindepth 1 -maxdepth 1 -type d -name '${pattern}'`;
    const groups = `find /sys/fs/cgroup ${named('*gantry*')} -o ${named('gt*')}`;
    expect(await machine.sh(groups)).toBe('');
  });
});
