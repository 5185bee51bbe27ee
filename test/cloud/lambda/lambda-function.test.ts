import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, patience } from '../patience.ts';
import { LambdaFunction } from './lambda-function.ts';

const bundle = `
  let events = 0;
  export async function handler(event, context) {
    events += 1;
    if (event.fail) throw new TypeError(event.fail);
    if (event.exit) process.exit(3);
    if (event.hang) await new Promise(() => setInterval(() => {}, 1000));
    if (event.large) return 'x'.repeat(event.large);
    if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
    return { events, pid: process.pid, environment: process.env, context, remaining: context.getRemainingTimeInMillis(), version: 1 };
  }`;

describe('a Lambda function on loopback', patience, () => {
  let directory: string;
  let lambda: LambdaFunction;

  const config = (more: object = {}) => ({
    name: 'echo',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:echo',
    roleArn: 'arn:aws:iam::000000000000:role/echo',
    entry: join(directory, 'index.mjs'),
    handlerName: 'handler',
    runtime: 'nodejs24.x',
    timeoutSeconds: 20,
    memoryMib: 256,
    reservedConcurrency: 2,
    environment: { GANTRY_TABLE: 'the-table' },
    credentials: { accessKeyId: 'AKIAECHO', secretAccessKey: 'secret' },
    region: 'us-east-1',
    ...more,
  });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-lambda-'));
    writeFileSync(join(directory, 'index.mjs'), bundle);
    lambda = new LambdaFunction(config());
  }, patience.timeout);

  afterEach(async () => {
    await lambda.kill();
    rmSync(directory, { recursive: true, force: true });
  }, patience.timeout);

  async function answer(event: object = {}) {
    const outcome = await lambda.invoke(event);
    if (outcome.kind !== 'answered') throw new Error(JSON.stringify(outcome));
    return Object(outcome.payload);
  }

  it('imports its bundle once, and sees its own environment and nothing of whoever started it', async () => {
    process.env.LEAKS_FROM_THE_PARENT = 'yes';
    const first = await answer();
    delete process.env.LEAKS_FROM_THE_PARENT;
    expect(first.environment).toMatchObject({
      GANTRY_TABLE: 'the-table',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIAECHO',
      AWS_LAMBDA_FUNCTION_NAME: 'echo',
    });
    const unexpected = Object.keys(first.environment).filter(
      (name) => !/^(AWS_|GANTRY_|LAMBDA_|_|PATH$|LANG$|TZ$)/.test(name),
    );
    expect(unexpected).toEqual([]);
    expect(first.context).toMatchObject({ functionName: 'echo', memoryLimitInMB: '256' });
    expect(first.remaining).toBeGreaterThan(15_000);
    expect(await answer()).toMatchObject({ events: 2, pid: first.pid });
    expect(lambda.invocations.map(({ coldStart }) => coldStart)).toEqual([true, false]);
  });

  it('takes one event at a time in a process, and no more at once than it may', async () => {
    const outcomes = await Promise.all([1, 2, 3].map(() => lambda.invoke({ wait: 50 })));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'throttled']);
    const pids = outcomes.map((outcome) => outcome.kind === 'answered' && Object(outcome.payload).pid);
    expect(new Set(pids.slice(0, 2)).size).toBe(2);
  });

  it('is frozen between events, so that nothing goes on behind an answer', async () => {
    const { pid } = await answer();
    const stopped = 'T';
    await eventually(() => expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2]).toBe(stopped));
    expect((await answer()).pid).toBe(pid);
  });

  it.each([
    ['an error', { fail: 'no good' }, { errorType: 'TypeError', errorMessage: 'no good' }],
    ['an exit', { exit: true }, { errorType: 'Runtime.ExitError' }],
    ['an answer that is too large', { large: 6 * 1024 * 1024 }, { errorType: 'Function.ResponseSizeTooLarge' }],
    [
      'an event that is too large',
      { padding: 'x'.repeat(6 * 1024 * 1024) },
      { errorType: 'RequestEntityTooLargeException' },
    ],
  ])('fails with %s', async (_, event, outcome) => {
    expect(await lambda.invoke(event)).toMatchObject({ kind: 'failed', ...outcome });
    expect(await answer()).toMatchObject({ version: 1 });
  });

  it('ends what takes longer than its timeout, and starts anew', async () => {
    await lambda.replace(config({ timeoutSeconds: 0.5 }));
    expect(await lambda.invoke({ hang: true })).toMatchObject({ errorMessage: 'Task timed out after 0.50 seconds' });
    expect(await answer()).toMatchObject({ events: 1 });
  });

  it('can be killed in the middle, cooled down and replaced', async () => {
    const { pid } = await answer();
    const hanging = lambda.invoke({ hang: true });
    await lambda.kill();
    expect(await hanging).toMatchObject({ kind: 'failed', errorType: 'Runtime.ExitError' });
    const second = await answer();
    expect(second.pid).not.toBe(pid);
    await lambda.cool();
    expect((await answer()).pid).not.toBe(second.pid);

    writeFileSync(join(directory, 'new.mjs'), bundle.replace('version: 1', 'version: 2'));
    const onTheOld = answer({ wait: 100 });
    await lambda.replace(config({ entry: join(directory, 'new.mjs') }));
    expect([(await onTheOld).version, (await answer()).version]).toEqual([1, 2]);
  });
});
