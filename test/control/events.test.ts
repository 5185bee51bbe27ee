/** What ListEvents answers of a control plane in one process, whose store writes events down with the changes that they tell of. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Output } from '../../core/api/operations.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { idOf, startWorld, type World } from './support/world.ts';

let world: World;
let host: ScriptedHost;

beforeEach(async () => {
  world = await startWorld();
  await world.register('web');
  host = await world.host();
});
afterEach(() => world[Symbol.asyncDispose]());

type Events = Output<'ListEvents'>['events'];

const list = (input: object = {}) => world.call('ListEvents', { order: 'oldest', ...input });
const told = (events: Events) => events.map(({ kind, detail }) => [kind, detail.lastStatus ?? detail.status]);

/** One that has run and ended by StopTask. */
async function lifeOf(more: object = {}): Promise<string> {
  const { tasks } = await world.call('RunTask', { taskDefinition: 'web', ...more });
  const task = idOf(tasks[0]?.taskArn);
  await host.obey();
  world.advance(1);
  await world.call('StopTask', { task });
  await host.obey();
  return task;
}

describe('the events of a task', () => {
  it('are those of its whole life, in order, and no others', async () => {
    const task = await lifeOf({ startedBy: 'nightly' });
    const stoppedAt = new Date(world.now());
    await lifeOf();
    const { events } = await list({ task });
    expect(told(events)).toEqual([
      ['task', 'PENDING'],
      ['task', 'RUNNING'],
      ['task', 'RUNNING'],
      ['task', 'STOPPED'],
    ]);
    expect(events[3]).toMatchObject({
      source: 'gantry',
      account: '000000000000',
      region: 'us-east-1',
      detailType: 'ECS Task State Change',
      time: stoppedAt,
      detail: { startedBy: 'nightly', stopCode: 'UserInitiated', taskArn: events[0]?.resources[0] },
      headline: expect.stringMatching(/^web:1 stopped/),
    });
    const versions = events.map(({ detail }) => Number(detail.version));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  });

  it('begin with why it waits where no host takes it, as data', async () => {
    await world.register('huge', { memory: 65_536 });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'huge' });
    const { events } = await list({ task: tasks[0]?.taskArn, kind: ['waiting'] });
    expect(events).toMatchObject([
      { kind: 'waiting', detail: { histogram: [{ reason: 'RESOURCE:MEMORY', hosts: 1 }] } },
    ]);
    expect(events[0]?.headline).toContain('no host takes huge:1 now: 1 host: memory');
  });

  it('are told of a task that is forgotten, for as long as they are kept', async () => {
    const task = await lifeOf();
    world.advance(world.control.deps.settings.retentionSeconds - 10);
    expect((await list({ task })).events).toHaveLength(4);
    world.advance(20);
    expect((await list({ task })).events).toEqual([]);
    expect((await list()).events).toEqual([]);
  });
});

describe('the events of a host', () => {
  it('are those of itself, by its id or name, and not what it runs', async () => {
    await lifeOf();
    await world.call('UpdateContainerInstancesState', { containerInstances: [host.hostId], status: 'DRAINING' });
    const { events } = await list({ host: host.hostId });
    expect(told(events).at(-1)).toEqual(['host', 'DRAINING']);
    expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(['host']));
    expect((await list({ host: 'host-1' })).events).toEqual(events);
  });
});

describe('a refusal', () => {
  const refusals = async () => (await list({ kind: ['refusal'] })).events;

  it('is told once for each call, with what was asked for and why', async () => {
    const call = { taskDefinition: 'web', launchType: 'EC2', count: 3, overrides: { memory: '65536' } };
    const input = { ...call, startedBy: 'scheduler' };
    const { failures } = await world.call('RunTask', input, { invocationId: 'call-1' });
    await world.call('RunTask', input, { invocationId: 'call-1' });
    expect(failures).toHaveLength(3);
    const events = await refusals();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      detailType: 'Gantry Placement Refused',
      detail: { operation: 'RunTask', requested: 3, refused: 3, startedBy: 'scheduler', failures },
      headline: `RunTask of web refused 3 of 3 tasks: ${failures[0]?.detail}`,
    });
    await world.call('RunTask', input, { invocationId: 'call-2' });
    expect(await refusals()).toHaveLength(2);
  });

  it('is told of calls that end in an error, as its caller was told', async () => {
    const call = world.call('RunTask', { taskDefinition: 'nothing' });
    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ClientException' });
    const [event] = await refusals();
    expect(event?.detail).toMatchObject({ error: { code: 'ClientException', message: Object(error).message } });
  });

  it('of a host that StartTask names is told too', async () => {
    const { failures } = await world.call('StartTask', { taskDefinition: 'web', containerInstances: ['f'.repeat(32)] });
    expect((await refusals())[0]?.detail).toMatchObject({ operation: 'StartTask', failures });
  });
});

describe('a store whose changes nobody tells of', () => {
  it('has no events, and says so', async () => {
    await using other = await startWorld({ store: 'dynamodb' });
    await other.register('web');
    const refused = { taskDefinition: 'web', launchType: 'EC2', overrides: { memory: '65536' } };
    await expect(other.call('RunTask', refused)).rejects.toMatchObject({ code: 'InvalidParameterException' });
    await expect(other.call('ListEvents', {})).rejects.toMatchObject({ code: 'UnsupportedFeatureException' });
    expect(other.logged).toEqual([]);
  });
});

describe('a list', () => {
  it('comes in pages, in either order, with nothing twice and nothing left out', async () => {
    for (let round = 0; round < 3; round += 1) await lifeOf();
    const { events: all } = await list();
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted());
    for (const order of ['oldest', 'newest'] as const) {
      const seen: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await list({ order, limit: 4, ...(nextToken !== undefined && { nextToken }) });
        seen.push(...page.events.map(({ id }) => id));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      expect(seen).toEqual(order === 'oldest' ? ids : ids.toReversed());
    }
    expect((await world.call('ListEvents', {})).events.map(({ id }) => id)).toEqual(ids.toReversed());
  });

  it('goes on behind an event, and from where it ended', async () => {
    await lifeOf();
    const { events, resumeAfter } = await list();
    expect(resumeAfter).toBe(events.at(-1)?.id);
    expect((await list({ after: events[1]?.id })).events).toEqual(events.slice(2));
    expect(await list({ after: resumeAfter })).toEqual({ events: [], resumeAfter });
    await lifeOf();
    expect((await list({ after: resumeAfter })).events).toHaveLength(4);
    expect((await list()).events).toHaveLength(events.length + 4);
  });

  it('begins at a time', async () => {
    await lifeOf();
    world.advance(60);
    const since = new Date(world.now()).toISOString();
    await lifeOf();
    for (const order of ['oldest', 'newest'] as const)
      expect((await list({ since, order, kind: ['task'] })).events).toHaveLength(4);
  });

  it('waits for what comes next', async () => {
    await lifeOf();
    const { resumeAfter } = await list();
    const next = list({ after: resumeAfter, timeout: 25 });
    await world.call('RunTask', { taskDefinition: 'web' });
    expect(told((await next).events)).toEqual([['task', 'PENDING']]);
  });

  it('is of one cluster', async () => {
    await lifeOf();
    await world.call('CreateCluster', { clusterName: 'other' });
    expect((await list({ cluster: 'other' })).events).toEqual([]);
    const { events } = await list();
    const task = events.find(({ kind }) => kind === 'task')?.resources[0];
    expect((await list({ cluster: 'other', task: idOf(task) })).events).toEqual([]);
  });

  it.each([
    [{ task: 'what' }, 'task'],
    [{ host: 'no-such-host' }, 'host'],
    [{ task: 'a'.repeat(32), host: 'host-1' }, 'host'],
    [{ after: 'yesterday' }, 'after'],
    [{ after: '000000000000001-000000-00000000', order: 'newest' }, 'order'],
    [{ order: 'newest', timeout: 5 }, 'timeout'],
    [{ timeout: 26 }, 'timeout'],
    [{ since: 'yesterday' }, 'since'],
    [{ kind: ['rumour'] }, 'kind[0]'],
    [{ limit: 101 }, 'limit'],
    [{ nextToken: 'x' }, 'nextToken'],
  ])('refuses %j by its field', async (input, field) => {
    await expect(list(input)).rejects.toMatchObject({ code: 'InvalidParameterException', field });
  });
});
