/**
 * Task definitions, capacity providers, what has tags and principals as the ECS wire names them, in every form in which clients write it:
 * what is found, and otherwise which error or which entry of failures[] is the answer.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import type { ApiServer } from '../support/api-server.ts';
import {
  arn,
  capacity,
  client,
  invalid,
  type Named,
  noCluster,
  noId,
  startNamed,
  strangers,
  tooMany,
} from '../support/references.ts';

let api: ApiServer;
let host: ScriptedHost;
let task: string;
let otherTask: string;
let outcomeOf: Named['outcomeOf'];
beforeAll(async () => {
  ({ api, host, task, otherTask, outcomeOf } = await startNamed());
});
afterAll(() => api[Symbol.asyncDispose]());

describe('a task definition', () => {
  const unknown = ['nothing', 'nothing:1', 'job:99', 'JOB', 'no spaces', '__proto__', arn('task-definition/job:99')];
  const wrong = Object.entries(
    strangers('task-definition/job:1', 'taskDefinition', 'a task definition', client),
  ).concat(
    ['', '0', '01', 'latest', '1:2', '-1', '12345678'].map((revision) => [
      `with revision ${revision}`,
      [`job:${revision}`, client(`Invalid revision number. Number: ${revision}`)],
    ]),
  );

  it.each([
    ['RunTask', () => ({ launchType: 'EC2' }), /^ClientException: TaskDefinition not found\./],
    ['StartTask', () => ({ containerInstances: [host.hostId] }), /^ClientException: TaskDefinition not found\./],
    ['DescribeTaskDefinition', () => ({}), /^ClientException: Unable to describe task definition\./],
  ])('in %s', async (operation, request, whenNot) => {
    const ask = (taskDefinition: string) => outcomeOf(operation, { ...request(), taskDefinition });
    for (const reference of ['job', 'job:1', arn('task-definition/job'), arn('task-definition/job:2')])
      expect(await ask(reference), reference).toBe('done');
    for (const reference of unknown) expect(await ask(reference), reference).toMatch(whenNot);
    for (const [form, [reference, expected]] of wrong) expect(await ask(reference), form).toBe(expected);
    const describes = operation === 'DescribeTaskDefinition';
    expect(await ask('over:1')).toMatch(describes ? /^done$/ : /^ClientException: TaskDefinition is inactive/);
    expect(await ask('over'), 'none of the family is ACTIVE').toMatch(whenNot);
  });

  it('in DeregisterTaskDefinition', async () => {
    const ask = (taskDefinition: string) => outcomeOf('DeregisterTaskDefinition', { taskDefinition });
    for (const reference of ['over:1', arn('task-definition/over:1')])
      expect(await ask(reference), reference).toBe('done');
    for (const reference of unknown)
      expect(await ask(reference), reference).toBe(
        reference.includes(':')
          ? client('The specified task definition does not exist.')
          : client('Revision is missing. Name the revision as family:revision.'),
      );
    for (const [form, [reference, expected]] of wrong) expect(await ask(reference), form).toBe(expected);
  });

  it('in DeleteTaskDefinitions', async () => {
    const ask = (...taskDefinitions: string[]) => outcomeOf('DeleteTaskDefinitions', { taskDefinitions });
    const missing =
      'The specified task definition does not exist. Specify a valid account, family, revision and try again.';
    const unreadable =
      'The specified task definition identifier is invalid. Specify a valid name or ARN and try again.';
    const active =
      'The specified task definition is still in ACTIVE status. Please deregister the target and try again.';
    expect(await ask('job:1', arn('task-definition/job:1'))).toBe(`${active} ${arn('task-definition/job:1')}`);
    expect(await ask('job:99')).toBe(`${missing} ${arn('task-definition/job:99')}`);
    for (const [form, [reference]] of wrong)
      expect(await ask(reference), form).toBe(
        `${/account|region|partition/.test(form) ? missing : unreadable} ${reference}`,
      );
    expect(await ask('job')).toBe(`${unreadable} job`);
    expect(await ask()).toBe(invalid('size of TaskDefinition references list must be greater than 0'));
    expect(await ask(...tooMany)).toBe(invalid('Size of TaskDefinition references list cannot exceed 10'));
  });
});

describe('a capacity provider', () => {
  const wrong = (field: string) => Object.entries(strangers('capacity-provider/own', field, 'a capacity provider'));
  const missing = 'The specified capacity provider does not exist. Specify a valid name or ARN and try again.';

  it('in the list of DescribeCapacityProviders', async () => {
    const ask = (...capacityProviders: string[]) => outcomeOf('DescribeCapacityProviders', { capacityProviders });
    expect(await ask('own', arn('capacity-provider/own'))).toBe('done');
    expect(await ask('nothing', arn('capacity-provider/nothing'), 'OWN')).toBe(
      `MISSING ${arn('capacity-provider/nothing')}, MISSING ${arn('capacity-provider/OWN')}`,
    );
    for (const [form, [reference, expected]] of wrong('capacityProviders[1]'))
      expect(await ask('own', reference), form).toBe(expected);
    expect(await ask(...tooMany)).toBe(invalid('capacityProviders may name at most 100.'));
    const inOther = { cluster: 'other', capacityProviders: ['own'] };
    expect(await outcomeOf('DescribeCapacityProviders', inOther)).toBe(`MISSING ${arn('capacity-provider/own')}`);
  });

  it.each([
    ['UpdateCapacityProvider', 'name', /^done$/],
    ['DeleteCapacityProvider', 'capacityProvider', /associated with cluster: default/],
  ])('in %s', async (operation, field, whenFound) => {
    const ask = (reference: string) => outcomeOf(operation, { [field]: reference, gantry: {} });
    for (const reference of ['own', arn('capacity-provider/own')])
      expect(await ask(reference), reference).toMatch(whenFound);
    for (const reference of ['nothing', 'OWN', 'no spaces', arn('capacity-provider/nothing')])
      expect(await ask(reference), reference).toContain(`ClientException: ${missing}`);
    for (const [form, [reference, expected]] of wrong(field)) expect(await ask(reference), form).toBe(expected);
  });

  it('of one cluster is of no other', async () => {
    const infrastructureRoleArn = 'arn:aws:iam::000000000000:role/infra';
    const managedInstancesProvider = { infrastructureRoleArn, instanceLaunchTemplate: {} };
    const made = { name: 'spare-own', cluster: arn('cluster/spare'), managedInstancesProvider };
    expect(await outcomeOf('CreateCapacityProvider', made)).toBe('done');
    const update = (cluster: string) => outcomeOf('UpdateCapacityProvider', { name: 'spare-own', cluster, gantry: {} });
    expect(await update('spare')).toBe('done');
    expect(await update('default')).toContain(`ClientException: ${missing}`);
    const remove = (cluster: string) => outcomeOf('DeleteCapacityProvider', { capacityProvider: 'spare-own', cluster });
    expect(await remove('default')).toContain(`ClientException: ${missing}`);
    expect(await remove('spare')).toBe('done');
  });

  it('of a cluster', async () => {
    for (const operation of ['PutClusterCapacityProviders', 'CreateCluster']) {
      const ask = (capacityProviders: readonly string[], strategy: readonly string[] = []) =>
        outcomeOf(operation, {
          cluster: 'spare',
          clusterName: 'fresh',
          capacityProviders,
          defaultCapacityProviderStrategy: strategy.map((capacityProvider) => ({ capacityProvider, weight: 1 })),
        });
      for (const [form, [reference, expected]] of wrong('capacityProviders[1]'))
        expect(await ask(['own', reference]), form).toBe(expected);
      for (const [form, [reference, expected]] of wrong('defaultCapacityProviderStrategy[0].capacityProvider'))
        expect(await ask(['own'], [reference]), form).toBe(expected);
      expect(await ask(['nothing'])).toContain(invalid(missing));
      expect(await ask(['own', arn('capacity-provider/own')], [arn('capacity-provider/own')])).toBe('done');
      expect(await outcomeOf('PutClusterCapacityProviders', capacity([], 'spare'))).toBe('done');
    }
  });

  it('in the strategy of RunTask', async () => {
    const ask = (...names: string[]) =>
      outcomeOf('RunTask', {
        taskDefinition: 'job',
        capacityProviderStrategy: names.map((capacityProvider) => ({ capacityProvider, weight: 1 })),
      });
    for (const reference of ['own', arn('capacity-provider/own')]) expect(await ask(reference), reference).toBe('done');
    for (const [form, [reference, expected]] of wrong('capacityProviderStrategy[0].capacityProvider'))
      expect(await ask(reference), form).toBe(expected);
    expect(await ask('own', arn('capacity-provider/own'))).toContain('strategy names own twice');
    expect(await ask('OWN')).toContain('not associated with the cluster');
  });
});

describe('a resource that has tags', () => {
  const ids = () => ({
    task: `task/default/${task}`,
    'container-instance': `container-instance/default/${host.hostId}`,
    cluster: 'cluster/default',
    'task-definition': 'task-definition/job:1',
    'capacity-provider': 'capacity-provider/own',
  });
  const notOne = 'Name a task, task definition, cluster, container instance or capacity provider by its ARN.';
  const unreadable = (text: string) => invalid(`Invalid identifier: ${text} names nothing that has tags. ${notOne}`);

  it.each([
    ['TagResource', { tags: [{ key: 'a', value: 'b' }] }],
    ['UntagResource', { tagKeys: ['a'] }],
    ['ListTagsForResource', {}],
  ])('in %s', async (operation, request) => {
    const ask = (resourceArn: string) => outcomeOf(operation, { ...request, resourceArn });
    for (const resource of Object.values(ids())) {
      expect(await ask(arn(resource)), resource).toBe('done');
      const { 'of another account': account, 'of another region': region } = strangers(resource, '', '');
      for (const [reference = '', expected = ''] of [account ?? [], region ?? []])
        expect(await ask(reference), reference).toBe(expected);
      for (const text of [resource, arn(resource, 'arn:aws:eks:us-east-1:000000000000')])
        expect(await ask(text), text).toBe(unreadable(text));
    }
    for (const text of ['', 'default', task, arn('service/default/web'), arn(`container/default/${task}/${noId}`)])
      expect(await ask(text), text).toBe(unreadable(text));
    for (const resource of [`task/${task}`, `container-instance/${host.hostId}`, 'cluster/default/x'])
      expect(await ask(arn(resource)), resource).toBe(invalid('Long arn format must be used for tagging operations'));
    const missing = (what: string) => `ResourceNotFoundException: The specified ${what} does not exist.`;
    for (const [resource, expected] of [
      [`task/default/${noId}`, missing('task')],
      ['task/default/nonsense', missing('task')],
      [`task/default/${otherTask}`, missing('task')],
      [`container-instance/default/${noId}`, missing('container instance')],
      ['container-instance/default/Host-1', missing('container instance')],
      ['task-definition/job:99', missing('task definition')],
      ['task-definition/job', missing('task definition')],
      ['capacity-provider/OWN', missing('capacity provider')],
      ['cluster/nowhere', noCluster],
      [`task/nowhere/${task}`, noCluster],
      ['cluster/gone', invalid('The specified cluster is inactive. Specify an active cluster and try again.')],
    ] as const)
      expect(await ask(arn(resource)), resource).toBe(expected);
  });
});

describe('what there is none of', () => {
  it.each([
    ['serviceName', 'web', 'ServiceNotFoundException: Service not found. There are no services yet.'],
    ['daemonName', 'logs', 'DaemonNotFoundException: Daemon not found. There are no daemons.'],
  ])('is not found: %s', async (member, name, expected) => {
    expect(await outcomeOf('ListTasks', { [member]: name })).toBe(expected);
    expect(await outcomeOf('ListTasks', { [member]: arn(`service/default/${name}`) })).toBe(expected);
  });

  it.each(['PutAccountSetting', 'DeleteAccountSetting', 'ListAccountSettings'])(
    'a principal of another account: %s',
    async (operation) => {
      const request = operation === 'ListAccountSettings' ? {} : { name: 'taskLongArnFormat', value: 'enabled' };
      const ask = (principalArn: string) => outcomeOf(operation, { ...request, principalArn });
      expect(await ask('arn:aws:iam::000000000000:user/a')).toBe('done');
      for (const text of ['', 'a', 'arn:aws:iam::123456789012:user/a', arn('cluster/default')])
        expect(await ask(text), text).toBe(
          invalid(`Invalid principal ARN: ${text}. Name a principal of 000000000000.`),
        );
    },
  );
});
