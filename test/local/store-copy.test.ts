/** `gantry store copy` over real stores of both kinds, with what a control plane has put into them. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginCopy, finishCopy } from '../../control/copied-store.ts';
import { createSecretBox } from '../../control/keys/secret-box.ts';
import { openStore } from '../../control/open-store.ts';
import { markRestored } from '../../control/restored-store.ts';
import { openDynamoDbTable } from '../../control/store/dynamodb.ts';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import { scanSqlite } from '../../control/store/sqlite-scan.ts';
import { everyRight } from '../../core/model/rights.ts';
import { readDataKey } from '../../local/data-key.ts';
import { carryDataKey } from '../../local/store-copy/carry-data-key.ts';
import { copyOptionsSchema, copyStores } from '../../local/store-copy/copy.ts';
import { readPlace } from '../../local/store-copy/places.ts';
import { idOf, startWorld, type World } from '../control/support/world.ts';
import { anyCredentials, type Dynoxide, startDynoxide, whyNoDynoxide } from '../support/dynoxide.ts';

const base = mkdtempSync(join(tmpdir(), 'gantry-copy-'));
const sourceDir = join(base, 'source');
const source = `sqlite:${sourceDir}`;
const dataKeyOf = (directory: string) => join(directory, 'data-key');
let dynamo: Dynoxide;
let answers: Awaited<ReturnType<typeof answersOf>>;
let accessKey: { readonly accessKeyId: string; readonly secretAccessKey: string };
let now: number;
let waiting: string;

type Progress = Parameters<typeof copyStores>[1]['progress'];

const copy = (
  from: string,
  to: string,
  more: object = {},
  progress: Progress = () => {},
  signal = new AbortController().signal,
) =>
  copyStores(copyOptionsSchema.parse({ from, to, dynamodbEndpoint: dynamo?.endpoint, ...more }), {
    progress,
    signal,
    now: () => now,
  });

const serve = (directory: string, seed: number): Promise<World> =>
  startWorld({
    file: join(directory, 'gantry.db'),
    seed,
    secretBox: createSecretBox(readDataKey({ dataKey: dataKeyOf(directory) })),
  });

/** What clients are told of everything; whether a host is heard is another matter in a copy. */
async function answersOf(world: World) {
  const { tasks } = await world.call('GetTasks', { include: ['TAGS'] });
  const { taskDefinitionArns } = await world.call('ListTaskDefinitions', {});
  const { containerInstanceArns } = await world.call('ListContainerInstances', {});
  const { clusters } = await world.call('DescribeClusters', { include: ['SETTINGS'] });
  const { host } = await world.call('GetHost', { host: 'host-1' });
  const { registeredResources, remainingResources, attributes, runningTasksCount, containerInstanceArn } = host;
  const { taskDefinition } = await world.call('DescribeTaskDefinition', { taskDefinition: 'job-7' });
  return {
    tasks: tasks.map((task) => ({ ...task, connectivity: undefined })),
    taskDefinitionArns,
    containerInstanceArns,
    clusters,
    host: { registeredResources, remainingResources, attributes, runningTasksCount, containerInstanceArn },
    taskDefinition,
  };
}

beforeAll(async () => {
  if (whyNoDynoxide() === undefined) dynamo = await startDynoxide();
  mkdirSync(sourceDir);
  await using world = await serve(sourceDir, 1);
  // Several batches.
  for (let family = 0; family < 40; family += 1) await world.register(`job-${family}`, { memory: 512 });
  const host = await world.host();
  const run = async (taskDefinition: string) =>
    idOf((await world.call('RunTask', { taskDefinition })).tasks[0]?.taskArn);
  await run('job-1');
  const ended = await run('job-7');
  await host.obey();
  host.end(ended, 3);
  await host.report();
  await world.call('UpdateClusterSettings', {
    cluster: 'default',
    settings: [{ name: 'gantry:waitForCapacity', value: 'enabled' }],
  });
  await world.register('large', { memory: 100_000 });
  waiting = await run('large');
  await world.loop('mark-silent');
  accessKey = await world.control.accessKeys.create({ arn: 'arn:aws:iam::000000000000:user/ci', ...everyRight });
  answers = await answersOf(world);
  now = world.now();
});

afterAll(async () => {
  await dynamo?.[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

async function expectCopyIn(directory: string, seed: number): Promise<void> {
  await using world = await serve(directory, seed);
  expect(await answersOf(world)).toEqual(answers);
  expect(await world.control.accessKeys.find(accessKey.accessKeyId)).toMatchObject({
    secretAccessKey: accessKey.secretAccessKey,
  });
  expect((await world.call('GetHost', { host: 'host-1' })).host.agentConnected).toBe(false);
}

const given = { clock: { now: () => now }, random: () => 0, newId: () => 'another', sleep: async () => {} };

const contents = () =>
  expect(answers).toMatchObject({ tasks: [{}, {}, {}], containerInstanceArns: [expect.any(String)] });

describe('from SQLite to SQLite', () => {
  it('has everything, the key that opens its secrets, and an epoch of its own', async () => {
    contents();
    const target = join(base, 'beside');
    const copied = await copy(source, `sqlite:${target}`);
    expect(copied).toMatchObject({
      hosts: 1,
      resumed: false,
      dataKey: dataKeyOf(target),
      to: `sqlite:${target}/gantry.db`,
    });
    expect(copied.epoch).not.toBe(copied.before);
    expect(copied.secrets).toBeUndefined();
    expect(readFileSync(dataKeyOf(target))).toEqual(readFileSync(dataKeyOf(sourceDir)));
    for (const file of [dataKeyOf(target), join(target, 'gantry.db')]) expect(statSync(file).mode & 0o777).toBe(0o600);
    await expectCopyIn(target, 2);
    await using served = await serve(target, 3);
    expect(served.control.deps.storeEpoch).toBe(copied.epoch);
    expect((await served.table.get({ pk: 'store', sk: 'meta' }))?.data).toMatchObject({
      earlierEpochs: [copied.before],
    });
  });

  it('that broke off is no store, is not written on by another copy, and is gone on with', async () => {
    const target = join(base, 'broken-off');
    const breakOff = async (phase: string) => {
      const stop = new AbortController();
      const progress: Progress = (at) => at.phase === phase && stop.abort();
      await expect(copy(source, `sqlite:${target}`, {}, progress, stop.signal)).rejects.toThrow('aborted');
      const table = openSqliteTable({ file: join(target, 'gantry.db') });
      const opening = openStore({ ...given, table }, {});
      await expect(opening).rejects.toThrow(/copy of sqlite:.* that is not whole/);
      await expect(markRestored({ ...given, table })).rejects.toThrow('that is not whole');
      await table.close();
    };
    await breakOff('copying');
    const half = openSqliteTable({ file: join(target, 'gantry.db') });
    expect((await half.query('revisions#ACTIVE')).items).toEqual([]);
    await half.close();
    await breakOff('comparing');
    await expect(copy(`sqlite:${target}`, `sqlite:${join(base, 'of-a-half')}`)).rejects.toThrow(/^FROM .*not whole/);
    const other = join(base, 'other');
    await (await serve(mkdirOf(other), 5))[Symbol.asyncDispose]();
    rmSync(dataKeyOf(other));
    await expect(copy(`sqlite:${other}`, `sqlite:${target}`)).rejects.toThrow(
      /^TO .*a copy of another store \(sqlite:/,
    );
    // Somebody has used the source in between: what is gone there does not come back in the copy.
    {
      await using world = await serve(sourceDir, 6);
      await world.call('StopTask', { task: waiting });
      await world.register('job-7', { memory: 600 });
      answers = await answersOf(world);
    }
    expect(await copy(source, `sqlite:${target}`)).toMatchObject({ resumed: true, hosts: 1 });
    await expectCopyIn(target, 7);
    await expect(copy(source, `sqlite:${target}`)).rejects.toThrow(/^TO .*There is a whole copy of this store already/);
  });
});

it('that is overtaken by another run writes nothing more, least of all into what is a store by then', async () => {
  await using tables = new AsyncDisposableStack();
  const open = (file: string) => {
    const table = openSqliteTable({ file, now: () => 0 });
    tables.defer(() => table.close());
    return { table, scan: () => scanSqlite(file) };
  };
  const target = open(join(mkdirOf(join(base, 'overtaken')), 'gantry.db'));
  const { signal } = new AbortController();
  const ids = ['first', 'second', 'epoch'];
  const options = { ...given, newId: () => ids.shift() ?? '', from: source, progress: () => {}, signal, target };
  const begun = { ...options, source: open(join(sourceDir, 'gantry.db')) };
  const first = await beginCopy(begun);
  expect(await finishCopy(await beginCopy(begun))).toMatchObject({ epoch: 'epoch', resumed: true });
  const used = { pk: 'clusters', sk: 'default' };
  await target.table.commit([{ kind: 'delete', key: used, when: [] }]);
  await expect(finishCopy(first)).rejects.toMatchObject({ code: 'ConflictException' });
  expect(await target.table.get(used)).toBeUndefined();
});

it('from a control plane in AWS to one machine says that nothing opens the secrets there', () => {
  const [table, file] = [readPlace('FROM', 'dynamodb:gantry'), readPlace('TO', 'sqlite:/nowhere')];
  expect(carryDataKey(table, file, 'arn:aws:kms:us-east-1:1:key/2').secrets).toMatch(
    /sealed under a key of KMS.*make them anew/,
  );
  expect(carryDataKey(table, table, 'arn:aws:kms:us-east-1:1:key/2').secrets).toContain('key/2 alone');
});

function mkdirOf(directory: string): string {
  mkdirSync(directory);
  return directory;
}

describe.skipIf(whyNoDynoxide() !== undefined)('with DynamoDB', () => {
  it('goes there and back again, and nobody copies from what was used just now', async () => {
    const there = await copy(source, 'dynamodb:gantry');
    expect(there.secrets).toContain(dataKeyOf(sourceDir));
    const back = mkdirOf(join(base, 'back'));
    await expect(copy('dynamodb:gantry', `sqlite:${back}`)).rejects.toMatchObject({
      message: expect.stringMatching(/^FROM \(dynamodb:gantry\): A control plane used this store \d+ seconds ago/),
      hint: expect.stringContaining('--force'),
    });
    const again = await copy('dynamodb:gantry', `sqlite:${back}`, { force: true });
    expect(again).toMatchObject({ before: there.epoch, items: there.items });
    expect(again.secrets).toContain(`put it into ${back}`);
    copyFileSync(dataKeyOf(sourceDir), dataKeyOf(back));
    await expectCopyIn(back, 8);
  });

  it('refuses a table that holds something else, and names one that is not there', async () => {
    const table = await openDynamoDbTable({
      tableName: 'full',
      region: 'us-east-1',
      endpoint: dynamo.endpoint,
      credentials: anyCredentials,
      create: true,
    });
    await table.commit([{ kind: 'put', item: { pk: 'a', sk: 'b', v: 1, data: {} }, when: [] }]);
    await table.close();
    await expect(copy(source, 'dynamodb:full')).rejects.toThrow('TO (dynamodb:full): It is not empty.');
    await expect(copy('dynamodb:nothing', 'dynamodb:full')).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      message: expect.stringMatching(/^FROM \(dynamodb:nothing\)/),
    });
  });
});

describe('refuses', () => {
  it.each([
    ['tape:/x', source, /^FROM takes sqlite:PATH or dynamodb:TABLE, not 'tape:\/x'/],
    [source, 'sqlite:', /^TO takes sqlite:PATH or dynamodb:TABLE, not 'sqlite:'/],
    [source, 'dynamodb:a/b', /^TO takes dynamodb: and a name of 3 to 255/],
    [source, `sqlite:${sourceDir}/gantry.db`, /^TO is the same store as FROM/],
    [`sqlite:${base}/nowhere`, source, /^FROM \(sqlite:.*nowhere\/gantry.db\): There is no such file/],
  ])('from %s to %s', async (from, to, why) => {
    await expect(copy(from, to)).rejects.toThrow(why);
  });

  it('another region than that of the store', async () => {
    const elsewhere = copy(source, 'dynamodb:gantry', { region: 'eu-west-1', dynamodbEndpoint: undefined });
    await expect(elsewhere).rejects.toMatchObject({
      field: 'region',
      message: expect.stringContaining('us-east-1 for good'),
    });
  });

  it('a target with the data key of another store, before anything is there', async () => {
    const target = mkdirOf(join(base, 'keyed'));
    readDataKey({ dataKey: dataKeyOf(target) });
    await expect(copy(source, `sqlite:${target}`)).rejects.toThrow('is the data key of another store');
    expect(() => statSync(join(target, 'gantry.db'))).toThrow('ENOENT');
  });

  it('a source that a control plane has open', async () => {
    await using _ = await serve(sourceDir, 9);
    await expect(copy(source, `sqlite:${base}/never`)).rejects.toMatchObject({
      message: `FROM (sqlite:${sourceDir}/gantry.db): The data directory ${sourceDir} is in use by another Gantry process.`,
      hint: expect.stringContaining('gantry down'),
    });
  });
});
