/**
 * Every operation that answers on the ECS wire, held to the model that the SDK carries: a request that a client can send, its answer, and
 * what a refusal looks like. In the order of the table, against one control plane with one host.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Operation } from '../../core/api/operation.ts';
import { operations } from '../../core/api/operations.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';
import { answerFaults, isModelledError, requestFaults, unreadMembers } from '../support/ecs-model.ts';

let api: ApiServer;
let host: ScriptedHost;
/** A task that runs, and one that has ended. */
let tasks: string[];

const arn = (resource: string) => `arn:aws:ecs:us-east-1:000000000000:${resource}`;
const none = 'a'.repeat(32);
const container = { name: 'app', image: 'busybox', memory: 64, portMappings: [{ containerPort: 80 }] };
const tags = [{ key: 'team', value: 'a' }];
const cluster = 'default';

const managedInstancesProvider = {
  infrastructureRoleArn: 'arn:aws:iam::000000000000:role/infra',
  instanceLaunchTemplate: {
    ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/host',
    networkConfiguration: { subnets: ['subnet-1'] },
    instanceRequirements: { vCpuCount: { min: 2, max: 8 }, memoryMiB: { min: 4096 }, allowedInstanceTypes: ['m7g.*'] },
  },
};

const tasksSchema = z.object({ tasks: z.array(z.object({ taskArn: z.string() })) });
async function run(): Promise<string> {
  const { body } = await api.wire('RunTask', { taskDefinition: 'job', launchType: 'EC2', tags });
  return tasksSchema.parse(body).tasks[0]?.taskArn ?? '';
}

beforeAll(async () => {
  api = await startApi();
  for (let revision = 0; revision < 4; revision += 1)
    await api.wire('RegisterTaskDefinition', { family: 'job', containerDefinitions: [container], tags });
  await api.wire('DeregisterTaskDefinition', { taskDefinition: 'job:1' });
  for (const clusterName of ['empty', 'fleet']) await api.wire('CreateCluster', { clusterName });
  await api.rest('POST', '/v1/capacity-providers', { name: 'own', gantry: {}, tags });
  host = await api.host({ cpuUnits: 4096, memoryMib: 4096 });
  tasks = [await run(), await run()];
  await host.obey();
  host.end(tasks[1]?.split('/').at(-1) ?? '');
  await host.report();
});
afterAll(() => api[Symbol.asyncDispose]());

interface Calls {
  /** Requests that are done. */
  readonly done: () => readonly object[];
  /** Requests that are refused, and by which error. */
  readonly refused?: () => readonly (readonly [request: object, code: string])[];
}

const noCluster = (members: object = {}) => [{ cluster: 'nowhere', ...members }, 'ClusterNotFoundException'] as const;
const attribute = (name: string) => ({ name, value: 'a', targetType: 'container-instance', targetId: host.hostId });

/** In the order of the table of operations; whoever adds one says here how it is called. */
const calls: Readonly<Record<string, Calls>> = {
  RegisterTaskDefinition: {
    done: () => [{ family: 'new', containerDefinitions: [container], tags }],
    refused: () => [[{ family: 'no spaces', containerDefinitions: [container] }, 'ClientException']],
  },
  DescribeTaskDefinition: {
    done: () => [{ taskDefinition: 'job', include: ['TAGS'] }],
    refused: () => [[{ taskDefinition: 'nothing' }, 'ClientException']],
  },
  ListTaskDefinitions: {
    done: () => [{}, { familyPrefix: 'job', sort: 'DESC', maxResults: 1 }],
    refused: () => [[{ maxResults: 0 }, 'InvalidParameterException']],
  },
  ListTaskDefinitionFamilies: {
    done: () => [{}, { familyPrefix: 'j', status: 'ALL', maxResults: 1 }],
    refused: () => [[{ nextToken: 'x' }, 'InvalidParameterException']],
  },
  DeregisterTaskDefinition: {
    done: () => [{ taskDefinition: 'job:2' }],
    refused: () => [[{ taskDefinition: 'job' }, 'ClientException']],
  },
  DeleteTaskDefinitions: {
    done: () => [{ taskDefinitions: ['job:1', 'job:4', 'job:9'] }],
    refused: () => [[{ taskDefinitions: [] }, 'InvalidParameterException']],
  },
  RunTask: {
    done: () => [{ taskDefinition: 'job', count: 2, tags, enableECSManagedTags: true }],
    refused: () => [
      noCluster({ taskDefinition: 'job' }),
      [{ taskDefinition: 'job', launchType: 'FARGATE' }, 'PlatformTaskDefinitionIncompatibilityException'],
    ],
  },
  StartTask: {
    done: () => [{ taskDefinition: 'job', containerInstances: [host.hostId, none], tags }],
    refused: () => [noCluster({ taskDefinition: 'job', containerInstances: [none] })],
  },
  StopTask: {
    done: () => [{ task: tasks[1], reason: 'enough' }],
    refused: () => [[{ task: none }, 'InvalidParameterException'], noCluster({ task: none })],
  },
  DescribeTasks: {
    done: () => [{ tasks: [...tasks, none], include: ['TAGS'] }],
    refused: () => [[{ tasks: [] }, 'InvalidParameterException'], noCluster({ tasks })],
  },
  ListTasks: {
    done: () => [{}, { desiredStatus: 'STOPPED', maxResults: 1 }],
    refused: () => [
      noCluster(),
      [{ serviceName: 'web' }, 'ServiceNotFoundException'],
      [{ daemonName: 'd' }, 'DaemonNotFoundException'],
    ],
  },
  GetTaskProtection: {
    done: () => [{ cluster, tasks: [...tasks, none] }],
    refused: () => [noCluster({ tasks }), [{ cluster }, 'InvalidParameterException']],
  },
  UpdateTaskProtection: {
    done: () => [{ cluster, tasks: [...tasks, none], protectionEnabled: true, expiresInMinutes: 5 }],
    refused: () => [noCluster({ tasks, protectionEnabled: true })],
  },
  CreateCluster: {
    done: () => [{ clusterName: 'new', tags, settings: [{ name: 'containerInsights', value: 'disabled' }] }],
    refused: () => [[{ clusterName: 'no spaces' }, 'InvalidParameterException']],
  },
  DescribeClusters: {
    done: () => [
      {
        clusters: ['default', 'nowhere'],
        include: ['ATTACHMENTS', 'CONFIGURATIONS', 'SETTINGS', 'STATISTICS', 'TAGS'],
      },
    ],
    refused: () => [[{ include: ['COLOURS'] }, 'InvalidParameterException']],
  },
  ListClusters: { done: () => [{}], refused: () => [[{ maxResults: 101 }, 'InvalidParameterException']] },
  DeleteCluster: {
    done: () => [{ cluster: 'empty' }],
    refused: () => [noCluster(), [{ cluster }, 'ClusterContainsContainerInstancesException']],
  },
  UpdateCluster: {
    done: () => [{ cluster, configuration: { executeCommandConfiguration: { logging: 'NONE' } } }],
    refused: () => [noCluster()],
  },
  UpdateClusterSettings: {
    done: () => [{ cluster, settings: [{ name: 'containerInsights', value: 'disabled' }] }],
    refused: () => [noCluster({ settings: [] }), [{ cluster, settings: [{ name: 'x' }] }, 'InvalidParameterException']],
  },
  PutClusterCapacityProviders: {
    done: () => [
      {
        cluster: 'fleet',
        capacityProviders: ['own'],
        defaultCapacityProviderStrategy: [{ capacityProvider: 'own', weight: 1 }],
      },
    ],
    refused: () => [noCluster({ capacityProviders: [], defaultCapacityProviderStrategy: [] })],
  },
  DescribeContainerInstances: {
    done: () => [{ containerInstances: [host.hostId, none], include: ['TAGS', 'CONTAINER_INSTANCE_HEALTH'] }],
    refused: () => [
      noCluster({ containerInstances: [none] }),
      [{ containerInstances: [] }, 'InvalidParameterException'],
    ],
  },
  ListContainerInstances: {
    done: () => [{}, { status: 'ACTIVE', filter: 'agentConnected == true' }],
    refused: () => [noCluster(), [{ status: 'COLOURFUL' }, 'InvalidParameterException']],
  },
  UpdateContainerInstancesState: {
    done: () => [{ containerInstances: [host.hostId, none], status: 'ACTIVE' }],
    refused: () => [noCluster({ containerInstances: [none], status: 'ACTIVE' })],
  },
  UpdateContainerAgent: {
    done: () => [],
    refused: () => [
      [{ containerInstance: host.hostId }, 'NoUpdateAvailableException'],
      noCluster({ containerInstance: none }),
    ],
  },
  DeregisterContainerInstance: {
    // Done last, by itself.
    done: () => [],
    refused: () => [noCluster({ containerInstance: none }), [{ containerInstance: none }, 'InvalidParameterException']],
  },
  CreateCapacityProvider: {
    done: () => [{ name: 'managed', cluster: 'fleet', managedInstancesProvider, tags }],
    refused: () => [[{ name: 'managed', cluster: 'fleet', managedInstancesProvider }, 'ClientException']],
  },
  UpdateCapacityProvider: {
    done: () => [{ name: 'managed', cluster: 'fleet', managedInstancesProvider }],
    refused: () => [[{ name: 'none', managedInstancesProvider }, 'ClientException']],
  },
  DeleteCapacityProvider: {
    done: () => [{ capacityProvider: 'managed' }],
    refused: () => [[{ capacityProvider: 'none' }, 'ClientException']],
  },
  DescribeCapacityProviders: {
    done: () => [{}, { capacityProviders: ['own', 'none'], include: ['TAGS'] }],
    refused: () => [[{ include: ['COLOURS'] }, 'InvalidParameterException']],
  },
  PutAttributes: {
    done: () => [{ attributes: [attribute('stack')] }],
    refused: () => [
      noCluster({ attributes: [attribute('stack')] }),
      [{ attributes: [{ ...attribute('stack'), targetId: none }] }, 'TargetNotFoundException'],
      [{ attributes: [attribute('ecs.ami-id')] }, 'InvalidParameterException'],
    ],
  },
  DeleteAttributes: {
    done: () => [{ attributes: [attribute('stack')] }],
    refused: () => [[{ attributes: [{ ...attribute('stack'), targetId: none }] }, 'TargetNotFoundException']],
  },
  ListAttributes: {
    done: () => [{ targetType: 'container-instance' }],
    refused: () => [noCluster({ targetType: 'container-instance' })],
  },
  TagResource: {
    done: () => [{ resourceArn: arn('cluster/default'), tags }],
    refused: () => [
      [{ resourceArn: arn('cluster/nowhere'), tags }, 'ClusterNotFoundException'],
      [{ resourceArn: arn(`task/default/${none}`), tags }, 'ResourceNotFoundException'],
      [{ resourceArn: 'default', tags }, 'InvalidParameterException'],
    ],
  },
  UntagResource: {
    done: () => [{ resourceArn: arn('cluster/default'), tagKeys: ['team'] }],
    refused: () => [[{ resourceArn: arn('task-definition/job:99'), tagKeys: ['a'] }, 'ResourceNotFoundException']],
  },
  ListTagsForResource: {
    done: () => [{ resourceArn: tasks[0] }, { resourceArn: arn('capacity-provider/own') }],
    refused: () => [[{ resourceArn: arn('capacity-provider/none') }, 'ResourceNotFoundException']],
  },
  ListAccountSettings: {
    done: () => [{}, { effectiveSettings: true }],
    refused: () => [[{ name: 'colours' }, 'InvalidParameterException']],
  },
  PutAccountSetting: {
    done: () => [{ name: 'awsvpcTrunking', value: 'enabled' }],
    refused: () => [[{ name: 'containerInsights', value: 'enabled' }, 'InvalidParameterException']],
  },
  PutAccountSettingDefault: {
    done: () => [{ name: 'taskLongArnFormat', value: 'enabled' }],
    refused: () => [[{ name: 'taskLongArnFormat', value: 'disabled' }, 'InvalidParameterException']],
  },
  DeleteAccountSetting: {
    done: () => [{ name: 'awsvpcTrunking' }],
    refused: () => [[{ name: 'colours' }, 'InvalidParameterException']],
  },
};

const onTheWire = Object.values<Operation>(operations).filter(({ wire }) => wire);

it('every operation of the ECS wire is called here', () => {
  expect(Object.keys(calls).toSorted()).toEqual(onTheWire.map(({ name }) => name).toSorted());
});

/** Unknown members are ignored, as AWS does it: so whatever ECS has must be known, be it to refuse it. */
it.each(onTheWire.map(({ name, input }) => [name, input] as const))(
  '%s knows every member of its request',
  (name, input) => {
    expect(unreadMembers(name, input)).toEqual([]);
  },
);

describe.each(Object.entries(calls))('%s', (name, { done, refused = () => [] }) => {
  it('answers as the model says', async () => {
    for (const request of done()) {
      expect(requestFaults(name, request)).toEqual([]);
      const { status, body, headers } = await api.wire(name, request);
      expect([status, body], name).toEqual([200, expect.anything()]);
      expect(answerFaults(name, body), JSON.stringify(body)).toEqual([]);
      expect(headers.get('x-amzn-requestid')).toMatch(/./);
    }
  });

  it('refuses with errors that the model has', async () => {
    expect(refused().length).toBeGreaterThan(0);
    for (const [request, code] of refused()) {
      const { status, body } = await api.wire(name, request);
      expect([status, body], JSON.stringify(request)).toEqual([
        400,
        expect.objectContaining({ __type: code, message: expect.any(String) }),
      ]);
      expect(isModelledError(code), code).toBe(true);
    }
  });
});

it('the end of a host is answered as the model says', async () => {
  const { status, body } = await api.wire('DeregisterContainerInstance', {
    containerInstance: host.hostId,
    force: true,
  });
  expect(status).toBe(200);
  expect(answerFaults('DeregisterContainerInstance', body)).toEqual([]);
});
