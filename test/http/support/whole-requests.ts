/**
 * For each operation requests that are taken and that together have every member that is not refused; the first is the simplest. They
 * can be sent in the order of the operations' names. For the test of docs/compatibility.md.
 */
import type { OperationName } from '../../../core/api/operations.ts';

export interface Place {
  readonly hostId: string;
  /** A `nextToken` of this list, read with these filters. */
  readonly tokenOf: (operation: OperationName, input: object) => Promise<string>;
}

interface WholeRequest {
  readonly request: object;
  /** Of an operation that has nothing to do here: the error that says so. */
  readonly code?: string;
}
type Requests = (place: Place) => readonly WholeRequest[] | Promise<readonly WholeRequest[]>;

const sent = (...requests: readonly object[]): readonly WholeRequest[] => requests.map((request) => ({ request }));

const cluster = 'default';
const tags = [{ key: 'team', value: 'a' }];
const include = ['TAGS'];
const none = 'a'.repeat(32);
const arn = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`;
const settings = [{ name: 'containerInsights', value: 'disabled' }];
const configuration = { executeCommandConfiguration: { logging: 'DEFAULT' } };
const strategy = [{ capacityProvider: 'own', weight: 1, base: 1 }];
const container = { name: 'app', image: 'busybox', memory: 64 };

const wholeContainer = {
  ...container,
  cpu: 64,
  memoryReservation: 32,
  essential: true,
  entryPoint: ['sh', '-c'],
  command: ['true'],
  environment: [{ name: 'A', value: 'b' }],
  portMappings: [
    { containerPort: 80, hostPort: 0, protocol: 'tcp', name: 'web', appProtocol: 'http' },
    { containerPortRange: '8000-8010', protocol: 'udp' },
  ],
  ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 2048 }],
  user: '1000',
  workingDirectory: '/tmp',
  readonlyRootFilesystem: true,
  hostname: 'app',
  dockerLabels: { a: 'b' },
  repositoryCredentials: { credentialsParameter: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:registry' },
  dependsOn: [{ containerName: 'before', condition: 'SUCCESS' }],
  stopTimeout: 5,
  logConfiguration: { logDriver: 'json-file', options: { 'max-size': '1m', 'max-file': '3' } },
  versionConsistency: 'enabled',
};

const placement = {
  placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.os-type == linux' }],
  placementStrategy: [{ type: 'spread', field: 'instanceId' }],
};
const ofATask = {
  cluster,
  taskDefinition: 'job',
  group: 'batch',
  startedBy: 'someone',
  referenceId: 'ticket',
  overrides: {
    cpu: '128',
    memory: '128',
    taskRoleArn: 'arn:aws:iam::000000000000:role/app',
    executionRoleArn: 'arn:aws:iam::000000000000:role/start',
    containerOverrides: [
      {
        name: 'app',
        command: ['true'],
        environment: [{ name: 'A', value: 'b' }],
        cpu: 32,
        memory: 64,
        memoryReservation: 32,
      },
    ],
  },
  tags,
  enableECSManagedTags: true,
  propagateTags: 'TASK_DEFINITION',
};

const scaling = {
  managedScaling: {
    status: 'DISABLED',
    targetCapacity: 100,
    minimumScalingStepSize: 1,
    maximumScalingStepSize: 2,
    instanceWarmupPeriod: 60,
  },
  managedTerminationProtection: 'DISABLED',
  managedDraining: 'ENABLED',
};
const autoScalingGroupArn = `arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:${none}:autoScalingGroupName/g`;
const managed = (changed: object) => ({
  infrastructureRoleArn: 'arn:aws:iam::000000000000:role/infra',
  propagateTags: 'CAPACITY_PROVIDER',
  infrastructureOptimization: { scaleInAfter: 60 },
  autoRepairConfiguration: { actionsStatus: 'ENABLED' },
  instanceLaunchTemplate: {
    ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/host',
    networkConfiguration: { subnets: ['subnet-1'], securityGroups: ['sg-1'] },
    monitoring: 'BASIC',
    instanceMetadataTagsPropagation: true,
    instanceRequirements: {
      vCpuCount: { min: 1, max: 8 },
      memoryMiB: { min: 1024, max: 65_536 },
      memoryGiBPerVCpu: { min: 1, max: 8 },
      ...changed,
    },
  },
});
const allowed = managed({ allowedInstanceTypes: ['m7g.*'] });
const launched = {
  ...allowed,
  instanceLaunchTemplate: { ...allowed.instanceLaunchTemplate, capacityOptionType: 'SPOT' },
};
const excluded = managed({ excludedInstanceTypes: ['t3.*'] });

const attributesOf = ({ hostId }: Place) => [
  { name: 'stack', value: 'prod', targetType: 'container-instance', targetId: hostId },
];

export const wholeRequests: Readonly<Partial<Record<OperationName, Requests>>> = {
  RegisterTaskDefinition: () =>
    sent(
      { family: 'plain', containerDefinitions: [{ ...container, logConfiguration: { logDriver: 'json-file' } }] },
      {
        family: 'whole',
        networkMode: 'bridge',
        cpu: '256',
        memory: '256',
        requiresCompatibilities: ['EC2'],
        runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
        taskRoleArn: 'arn:aws:iam::000000000000:role/app',
        executionRoleArn: 'arn:aws:iam::000000000000:role/start',
        tags,
        containerDefinitions: [wholeContainer, { ...container, name: 'before', essential: false, startTimeout: 5 }],
        placementConstraints: placement.placementConstraints,
      },
    ),
  DescribeTaskDefinition: () => sent({ taskDefinition: 'job', include }),
  ListTaskDefinitions: async ({ tokenOf }) => {
    const filters = { familyPrefix: 'job', status: 'ACTIVE', sort: 'DESC' };
    return sent({ ...filters, maxResults: 1, nextToken: await tokenOf('ListTaskDefinitions', filters) });
  },
  ListTaskDefinitionFamilies: async ({ tokenOf }) => {
    const filters = { familyPrefix: 'jo', status: 'ALL' };
    return sent({ ...filters, maxResults: 1, nextToken: await tokenOf('ListTaskDefinitionFamilies', filters) });
  },
  DeregisterTaskDefinition: () => sent({ taskDefinition: 'job:1' }),
  DeleteTaskDefinitions: () => sent({ taskDefinitions: ['job:1'] }),
  RunTask: () =>
    sent(
      { taskDefinition: 'job' },
      { ...ofATask, ...placement, count: 2, launchType: 'EC2', clientToken: 'whole' },
      { taskDefinition: 'job', capacityProviderStrategy: strategy },
    ),
  StartTask: ({ hostId }) =>
    sent({ taskDefinition: 'job', containerInstances: [hostId] }, { ...ofATask, containerInstances: [hostId] }),
  StopTask: () => [{ request: { cluster, task: none, reason: 'enough' }, code: 'InvalidParameterException' }],
  DescribeTasks: () => sent({ cluster, tasks: [none], include }),
  ListTasks: async ({ hostId, tokenOf }) => {
    const filters = { cluster, containerInstance: hostId, family: 'job', launchType: 'EC2', desiredStatus: 'RUNNING' };
    return sent(
      { startedBy: 'someone' },
      { ...filters, maxResults: 1, nextToken: await tokenOf('ListTasks', filters) },
    );
  },
  GetTaskProtection: () => sent({ cluster, tasks: [none] }),
  UpdateTaskProtection: () => sent({ cluster, tasks: [none], protectionEnabled: true, expiresInMinutes: 5 }),
  CreateCluster: () =>
    sent(
      { clusterName: 'plain' },
      {
        clusterName: 'whole',
        tags,
        settings,
        configuration,
        capacityProviders: ['own'],
        defaultCapacityProviderStrategy: strategy,
      },
    ),
  DescribeClusters: () => sent({ clusters: [cluster], include }),
  ListClusters: async ({ tokenOf }) => sent({ maxResults: 1, nextToken: await tokenOf('ListClusters', {}) }),
  DeleteCluster: () => sent({ cluster: 'doomed' }),
  UpdateCluster: () => sent({ cluster: 'used', settings, configuration }),
  UpdateClusterSettings: () => sent({ cluster: 'used', settings }),
  PutClusterCapacityProviders: () =>
    sent({ cluster: 'used', capacityProviders: ['own'], defaultCapacityProviderStrategy: strategy }),
  DescribeContainerInstances: ({ hostId }) => sent({ cluster, containerInstances: [hostId], include }),
  ListContainerInstances: async ({ tokenOf }) => {
    const filters = { cluster, status: 'ACTIVE', filter: 'attribute:ecs.os-type == linux' };
    return sent({ ...filters, maxResults: 1, nextToken: await tokenOf('ListContainerInstances', filters) });
  },
  UpdateContainerInstancesState: ({ hostId }) => sent({ cluster, containerInstances: [hostId], status: 'ACTIVE' }),
  UpdateContainerAgent: ({ hostId }) => [
    { request: { cluster, containerInstance: hostId }, code: 'NoUpdateAvailableException' },
  ],
  DeregisterContainerInstance: () => [
    { request: { cluster, containerInstance: none, force: true }, code: 'InvalidParameterException' },
  ],
  CreateCapacityProvider: () =>
    sent(
      { name: 'launched', cluster: 'fleet', managedInstancesProvider: launched, tags },
      { name: 'excluded', cluster: 'fleet', managedInstancesProvider: excluded },
      { name: 'group', autoScalingGroupProvider: { autoScalingGroupArn, ...scaling } },
      { name: 'doomed', cluster: 'fleet', managedInstancesProvider: allowed },
    ),
  UpdateCapacityProvider: () =>
    sent(
      { name: 'launched', cluster: 'fleet', managedInstancesProvider: allowed },
      { name: 'excluded', cluster: 'fleet', managedInstancesProvider: excluded },
      { name: 'group', autoScalingGroupProvider: scaling },
    ),
  DeleteCapacityProvider: () => sent({ capacityProvider: 'doomed', cluster: 'fleet' }),
  DescribeCapacityProviders: async ({ tokenOf }) =>
    sent(
      { capacityProviders: ['own'], include },
      { cluster, include },
      { maxResults: 1, nextToken: await tokenOf('DescribeCapacityProviders', {}) },
    ),
  PutAttributes: (place) => sent({ cluster, attributes: attributesOf(place) }),
  DeleteAttributes: (place) => sent({ cluster, attributes: attributesOf(place) }),
  ListAttributes: async ({ tokenOf }) => {
    const filters = { cluster, targetType: 'container-instance' };
    return sent(
      { ...filters, attributeName: 'ecs.os-type', attributeValue: 'linux' },
      { ...filters, maxResults: 1, nextToken: await tokenOf('ListAttributes', filters) },
    );
  },
  TagResource: () => sent({ resourceArn: arn('cluster/used'), tags }),
  UntagResource: () => sent({ resourceArn: arn('cluster/used'), tagKeys: ['team'] }),
  ListTagsForResource: () => sent({ resourceArn: arn('cluster/used') }),
  ListAccountSettings: async ({ tokenOf }) =>
    sent(
      { name: 'awsvpcTrunking', value: 'disabled', principalArn: arn('root').replace(':ecs:us-east-1:', ':iam::') },
      {
        effectiveSettings: true,
        maxResults: 1,
        nextToken: await tokenOf('ListAccountSettings', { effectiveSettings: true }),
      },
    ),
  PutAccountSetting: () =>
    sent({ name: 'awsvpcTrunking', value: 'enabled', principalArn: 'arn:aws:iam::000000000000:root' }),
  PutAccountSettingDefault: () => sent({ name: 'awsvpcTrunking', value: 'enabled' }),
  DeleteAccountSetting: () => sent({ name: 'awsvpcTrunking', principalArn: 'arn:aws:iam::000000000000:root' }),
};
