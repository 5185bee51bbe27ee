/** What the tasks of a key may take: roles, and ways to reach their host; asked at registration and when they are run. */
import { RunTaskCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccessKey } from '../../control/keys/find-access-key.ts';
import { allActions } from '../../core/api/operation.ts';
import { everyRight } from '../../core/model/rights.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
/** Its tasks may take nothing. */
let bare: AccessKey;
beforeAll(async () => {
  api = await startApi();
  bare = await api.keyFor(allActions, 'all', { taskRoles: [], hostAccess: [] });
});
afterAll(() => api[Symbol.asyncDispose]());

const user = 'arn:aws:iam::000000000000:user/test-read-run-register-administer';
const role = (name: string) => `arn:aws:iam::000000000000:role/${name}`;
const container = { name: 'app', image: 'busybox', memory: 64 };
const definition = (family: string, members: object = {}) => ({
  family,
  containerDefinitions: [container],
  ...members,
});
const registerAs = (key: AccessKey | undefined, family: string, members: object) =>
  (key === undefined ? api : api.as(key)).rest('POST', '/v1/task-definitions', definition(family, members));

/** By which member, what it is, and the right that it needs. */
const reaches: [string, object, string][] = [
  ['networkMode', { networkMode: 'host' }, 'host-network'],
  ['pidMode', { pidMode: 'host' }, 'privileged'],
  ['ipcMode', { ipcMode: 'host' }, 'privileged'],
  [
    'volumes[1].host.sourcePath',
    { volumes: [{ name: 'a' }, { name: 'b', host: { sourcePath: '/etc' } }] },
    'host-paths',
  ],
  [
    'volumes[0].dockerVolumeConfiguration.driverOpts',
    { volumes: [{ name: 'a', dockerVolumeConfiguration: { driverOpts: { type: 'none', o: 'bind', device: '/' } } }] },
    'host-paths',
  ],
  ...(
    [
      ['privileged', { privileged: true }],
      ['linuxParameters.capabilities.add', { linuxParameters: { capabilities: { add: ['SYS_ADMIN'] } } }],
      ['linuxParameters.devices', { linuxParameters: { devices: [{ hostPath: '/dev/kvm' }] } }],
      ['dockerSecurityOptions', { dockerSecurityOptions: ['seccomp=unconfined'] }],
    ] as const
  ).map(([member, more]): [string, object, string] => [
    `containerDefinitions[1].${member}`,
    { containerDefinitions: [container, { ...container, name: 'other', ...more }] },
    'privileged',
  ]),
];

describe('a task definition', () => {
  it.each(reaches)('that reaches its host by %s is registered by whoever may', async (field, members, access) => {
    const others = everyRight.hostAccess.filter((kind) => kind !== access);
    const key = await api.keyFor(['register'], 'all', { taskRoles: ['*'], hostAccess: others });
    const answer = await registerAs(key, 'reach', members);
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'AccessDeniedException', field, hint: expect.stringContaining(`--${access}`) },
    });
    expect(answer.body).toMatchObject({ detail: expect.stringContaining(field) });
    // Most of these Gantry refuses to everybody, and says that to whoever may.
    const { status, body } = await registerAs(undefined, 'reach', members);
    expect(status === 201 || (body as { code: string }).code === 'ClientException', JSON.stringify(body)).toBe(true);
  });

  it('that says of all this what is the default is anybody’s', async () => {
    const answer = await registerAs(bare, 'harmless', {
      networkMode: 'bridge',
      taskRoleArn: '',
      volumes: [],
      containerDefinitions: [{ ...container, privileged: false, dockerSecurityOptions: [], linuxParameters: {} }],
    });
    expect(answer.body).not.toMatchObject({ code: 'AccessDeniedException' });
  });

  it.each(['taskRoleArn', 'executionRoleArn'])('has as %s what its key may give', async (field) => {
    const hostAccess = everyRight.hostAccess;
    const key = await api.keyFor(['register'], 'all', { taskRoles: [role('web-*'), role('ops/exact')], hostAccess });
    for (const allowed of [role('web-1'), role('web-'), 'web-by-name', role('ops/exact'), 'ops/exact'])
      expect(await registerAs(key, 'roles', { [field]: allowed }), allowed).toMatchObject({ status: 201 });
    for (const refused of [role('we'), role('ops/exactly'), 'arn:aws:iam::111111111111:role/web-1', 'admin'])
      expect(await registerAs(key, 'roles', { [field]: refused }), refused).toMatchObject({
        status: 403,
        body: {
          code: 'AccessDeniedException',
          field,
          detail: `arn:aws:iam::000000000000:user/test-register is not allowed to pass the role ${refused.startsWith('arn:') ? refused : role(refused)}.`,
          hint: expect.stringContaining('--role'),
        },
      });
  });
});

describe('a task', () => {
  beforeAll(async () => {
    await registerAs(undefined, 'plain', {});
    await registerAs(undefined, 'net', { networkMode: 'host' });
    await registerAs(undefined, 'assumes', { taskRoleArn: role('one'), executionRoleArn: role('two') });
  });

  const runs = (key: AccessKey, taskDefinition: string, overrides: object = {}) =>
    api.as(key).wire('RunTask', { taskDefinition, overrides });

  it('is run by a key that may give what its revision has, whoever registered that', async () => {
    expect((await runs(bare, 'net')).body).toMatchObject({
      __type: 'AccessDeniedException',
      message: expect.stringContaining(
        `${user} is not allowed to let tasks use their host's network (networkMode of net:1).`,
      ),
    });
    expect((await runs(bare, 'assumes')).body).toMatchObject({
      __type: 'AccessDeniedException',
      message: expect.stringContaining(`${user} is not allowed to pass the role ${role('one')} of assumes:1.`),
    });
    const first = await api.keyFor(['run'], 'all', { taskRoles: [role('one')], hostAccess: ['host-network'] });
    expect((await runs(first, 'assumes')).body).toMatchObject({
      message: expect.stringContaining(`pass the role ${role('two')} of assumes:1.`),
    });
    expect((await runs(first, 'net')).status).toBe(200);
    const both = await api.keyFor(['run'], 'all', { taskRoles: [role('one'), role('t*')], hostAccess: [] });
    expect((await runs(both, 'assumes')).status).toBe(200);
  });

  it('takes what its overrides name in place of its revision’s', async () => {
    const other = await api.keyFor(['run'], 'all', { taskRoles: [role('other')], hostAccess: [] });
    expect((await runs(bare, 'plain', { taskRoleArn: role('one') })).body).toMatchObject({
      message: expect.stringContaining(`${user} is not allowed to pass the role ${role('one')}.`),
    });
    const roles = { taskRoleArn: role('other'), executionRoleArn: role('other') };
    expect((await runs(other, 'assumes', roles)).status).toBe(200);
    expect((await runs(other, 'assumes', { ...roles, executionRoleArn: '' })).status).toBe(400);
  });

  it('is not made where it was refused, on the wire and over REST, by StartTask too', async () => {
    const host = await api.host();
    const client = api.ecs({ credentials: bare });
    await expect(client.send(new RunTaskCommand({ taskDefinition: 'net', startedBy: 'bare' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    const denied = { status: 403, body: { field: 'taskDefinition' } };
    const path = '/v1/clusters/default';
    const body = { taskDefinition: 'net', startedBy: 'bare' };
    expect(await api.as(bare).rest('POST', `${path}/tasks`, body)).toMatchObject(denied);
    const start = { ...body, containerInstances: [host.hostId] };
    expect((await api.as(bare).wire('StartTask', start)).body).toMatchObject({ __type: 'AccessDeniedException' });
    expect((await api.wire('ListTasks', { startedBy: 'bare' })).body).toEqual({ taskArns: [] });
    expect((await api.wire('StartTask', start)).body).toMatchObject({ failures: [] });
    // Nothing comes of a plan.
    expect(await api.as(bare).rest('POST', `${path}/plan`, { taskDefinition: 'net' })).toMatchObject({
      status: 200,
    });
  });
});

describe('a key', () => {
  const make = (key: AccessKey, more: object) =>
    api.as(key).rest('POST', '/v1/access-keys', { userName: 'made', actions: ['run'], ...more });

  it('has of its tasks what it was made with, and nothing where that says nothing', async () => {
    const { body } = await api.rest('POST', '/v1/access-keys', { userName: 'none', actions: ['run'] });
    expect(body).toMatchObject({ accessKey: { taskRoles: [], hostAccess: [] } });
    expect((body as { accessKey: object }).accessKey).not.toHaveProperty('maxWaitingTasks');
    const some = await api.rest('POST', '/v1/access-keys', {
      userName: 'some',
      actions: ['run'],
      taskRoles: ['web-*', role('one'), role('one')],
      hostAccess: ['privileged', 'host-network'],
      maxWaitingTasks: 5,
    });
    const shown = {
      taskRoles: [role('web-*'), role('one')],
      hostAccess: ['host-network', 'privileged'],
      maxWaitingTasks: 5,
    };
    expect(some.body).toMatchObject({ accessKey: shown });
    const { accessKey } = some.body as { accessKey: object };
    expect((await api.rest('GET', '/v1/access-keys')).body).toMatchObject({
      accessKeys: expect.arrayContaining([accessKey]),
    });
  });

  it.each([
    [{ taskRoles: ['no spaces'] }, 'taskRoles[0]'],
    [{ taskRoles: ['a', 'arn:aws:s3:::bucket'] }, 'taskRoles[1]'],
    [{ hostAccess: ['root'] }, 'hostAccess[0]'],
    [{ maxWaitingTasks: -1 }, 'maxWaitingTasks'],
  ])('is not made with %j', async (more, field) => {
    expect(await make(await api.keyFor(allActions), more)).toMatchObject({ status: 400, body: { field } });
  });

  it('gives no more than it has', async () => {
    const rights = { taskRoles: [role('web-*')], hostAccess: ['host-network'] as const, maxWaitingTasks: 10 };
    const maker = await api.keyFor(allActions, 'all', rights);
    for (const [more, field] of [
      [{ taskRoles: ['*'], maxWaitingTasks: 1 }, 'taskRoles'],
      [{ taskRoles: ['w*'], maxWaitingTasks: 1 }, 'taskRoles'],
      [{ hostAccess: ['host-paths'], maxWaitingTasks: 1 }, 'hostAccess'],
      [{ maxWaitingTasks: 11 }, 'maxWaitingTasks'],
      [{}, 'maxWaitingTasks'],
    ] as const)
      expect(await make(maker, more)).toMatchObject({ status: 403, body: { field } });
    const most = { taskRoles: ['web-a*'], hostAccess: ['host-network'], maxWaitingTasks: 10 };
    expect(await make(maker, most)).toMatchObject({ status: 201 });
  });

  it('may have a quota, which its client is told in failures', async () => {
    const limited = await api.keyFor(['run'], 'all', { ...everyRight, maxWaitingTasks: 1 });
    const large = { taskDefinition: 'plain', overrides: { memory: '99999' }, count: 2 };
    const { tasks, failures } = await api.ecs({ credentials: limited }).send(new RunTaskCommand(large));
    expect([tasks?.length, failures]).toMatchObject([
      1,
      [
        {
          reason: 'QUOTA:WAITING_TASKS',
          detail: expect.stringContaining(`${limited.accessKeyId} may have 1 task waiting`),
        },
      ],
    ]);
  });
});
