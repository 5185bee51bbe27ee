/** What a RunTask request must be for the revision that it runs, and what is made of one that is right. */
import { describe, expect, it } from 'vitest';
import { refusals, type Wrong } from './refusals.ts';
import { container, definitionRequest, revision, runTask } from './requests.ts';

const two = revision({
  ...definitionRequest,
  cpu: '512',
  memory: '512',
  containerDefinitions: [
    { ...container, cpu: 128, memoryReservation: 64 },
    { ...container, name: 'side', essential: false },
  ],
});

const override = (...containerOverrides: object[]) => ({ overrides: { containerOverrides } });

describe('a request is refused', () => {
  const at = 'overrides.containerOverrides[0]';
  const rows: Wrong[] = [
    ['for no task', { count: 0 }, 'count', 'between 1 and 100000; it is 0'],
    ['for too many tasks', { count: 100_001 }, 'count', 'between 1 and 100000; it is 100001'],
    ['that waits for no time', { placementTimeoutSeconds: 0 }, 'placementTimeoutSeconds', 'between 1 and 604800'],
    ['for an unknown launch type', { launchType: 'MOON' }, 'launchType', 'must be EC2 or EXTERNAL; it is "MOON"'],
    [
      'for a launch type and a strategy of capacity providers',
      { launchType: 'EC2', capacityProviderStrategy: [{ capacityProvider: 'a' }] },
      'capacityProviderStrategy',
      'Specify either Launch Type or Capacity Provider Strategy, but not both.',
    ],
    ['with a group without a name', { group: '' }, 'group', '1 to 255 characters; it has 0'],
    ['with a group that is too long', { group: 'g'.repeat(256) }, 'group', '1 to 255 characters; it has 256'],
    ['with a reference that is too long', { referenceId: 'r'.repeat(1025) }, 'referenceId', '0 to 1024'],
    ['for somebody without a name', { startedBy: '' }, 'startedBy', '1 to 128'],
    ['for somebody with too long a name', { startedBy: 'a'.repeat(129) }, 'startedBy', '1 to 128'],
    [
      'with a constraint that is none',
      { placementConstraints: [{ type: 'nearby' }] },
      'placementConstraints[0].type',
      'nearby',
    ],
    [
      'with memberOf and nothing',
      { placementConstraints: [{ type: 'memberOf' }] },
      'placementConstraints[0].expression',
      'must be given',
    ],
    [
      'with an expression that cannot be read',
      { placementConstraints: [{ type: 'distinctInstance' }, { type: 'memberOf', expression: 'attribute:a ~ b' }] },
      'placementConstraints[1].expression',
      'column 13: expected an operator',
    ],
    [
      'with an expression that is too long',
      { placementConstraints: [{ type: 'memberOf', expression: `attribute:a == ${'b'.repeat(2000)}` }] },
      'placementConstraints[0].expression',
      'at most 2000',
    ],
    [
      'with an expression of distinctInstance',
      { placementConstraints: [{ type: 'distinctInstance', expression: 'attribute:a == b' }] },
      'placementConstraints[0].expression',
      'should not be specified',
    ],
    [
      'with eleven constraints',
      { placementConstraints: Array(11).fill({ type: 'distinctInstance' }) },
      'placementConstraints',
      '0 to 10',
    ],
    ['with six strategies', { placementStrategy: Array(6).fill({ type: 'random' }) }, 'placementStrategy', '0 to 5'],
    [
      'with a strategy that is none',
      { placementStrategy: [{ type: 'best' }] },
      'placementStrategy[0].type',
      'it is "best"',
    ],
    [
      'with a strategy without its field',
      { placementStrategy: [{ type: 'random' }, { type: 'binpack' }] },
      'placementStrategy[1].field',
      'binpack takes the field cpu or memory',
    ],
    [
      'with a strategy with a field too many',
      { placementStrategy: [{ type: 'random', field: 'cpu' }] },
      'placementStrategy[0].field',
      'random takes no field',
    ],
    ['with tags of a service', { propagateTags: 'SERVICE' }, 'propagateTags', 'must be TASK_DEFINITION or NONE'],
    ['with a reserved tag', { tags: [{ key: 'aws:x', value: '' }] }, 'tags[0].key', 'reserved'],
    [
      'with overrides that are too long',
      override({ name: 'app', command: ['x'.repeat(8192)] }),
      'overrides',
      /^Container Overrides length must be at most 8192$/,
    ],
    ['with an override of nothing', override({ cpu: 1 }), `${at}.name`, 'is missing'],
    [
      'with an override of no container',
      override({ name: 'db' }),
      `${at}.name`,
      /^Override for container named db is not a container in the TaskDefinition\.$/,
    ],
    [
      'with two overrides of one container',
      override({ name: 'app' }, { name: 'app' }),
      'overrides.containerOverrides[1].name',
      'overridden twice',
    ],
    ['with NUL in a command', override({ name: 'app', command: ['a\0'] }), `${at}.command[0]`, 'NUL'],
    [
      'with a variable without a name',
      override({ name: 'app', environment: [{ name: '', value: '' }] }),
      `${at}.environment[0].name`,
      'null or empty',
    ],
    ['with task CPU in words', { overrides: { cpu: 'lots' } }, 'overrides.cpu', "Invalid 'cpu' setting for task."],
    [
      'with task memory in words',
      { overrides: { memory: 'lots' } },
      'overrides.memory',
      "Invalid 'memory' setting for task.",
    ],
    [
      'with memory below the soft limit',
      override({ name: 'app', memory: 32 }),
      `${at}.memoryReservation`,
      "'memory' \\(32\\) must be greater",
    ],
    [
      'with less memory than a container needs',
      override({ name: 'app', memory: 1, memoryReservation: 0 }),
      `${at}.memory`,
      'between 6',
    ],
    [
      'with more memory than the task has',
      override({ name: 'app', memory: 513 }),
      `${at}.memory`,
      "exceeds the task's \\(512 MiB\\)",
    ],
    [
      'with more memory together than the task has',
      override({ name: 'app', memory: 385 }),
      'overrides.memory',
      '513 MiB of memory together',
    ],
    [
      'with more CPU together than the task has',
      override({ name: 'side', cpu: 385 }),
      'overrides.cpu',
      '513 CPU units together',
    ],
    [
      'with less task memory than a container has',
      { overrides: { memory: '100' } },
      'overrides.memory',
      "Invalid setting for container 'app'",
    ],
  ];
  refusals(rows, (request) => runTask(request, two), 'InvalidParameterException');

  it('for Fargate, with what to use instead, whatever else it has', () => {
    const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-1'] } };
    expect(() => runTask({ launchType: 'FARGATE', platformVersion: 'LATEST', networkConfiguration })).toThrow(
      expect.objectContaining({
        code: 'PlatformTaskDefinitionIncompatibilityException',
        field: 'launchType',
        hint: expect.stringContaining('Use launch type EC2'),
      }),
    );
  });

  it('for a launch type that the revision does not take', () => {
    const ec2Only = revision({ ...definitionRequest, requiresCompatibilities: ['EC2'] });
    expect(runTask({ launchType: 'EC2' }, ec2Only).launchType).toBe('EC2');
    expect(() => runTask({ launchType: 'EXTERNAL' }, ec2Only)).toThrow(
      expect.objectContaining({
        field: 'launchType',
        message: 'Task definition does not support launch_type EXTERNAL.',
      }),
    );
  });
});

describe('a request that is right', () => {
  it('has its defaults filled in, and nothing beside them', () => {
    expect(runTask({})).toEqual({
      count: 1,
      group: 'family:web',
      overrides: { containerOverrides: [] },
      constraints: [],
      strategies: [],
      strategy: [],
      tags: [],
    });
  });

  it('keeps what it has', () => {
    const members = {
      count: 50,
      launchType: 'EC2',
      group: 'blue',
      startedBy: 'ecs-svc/1',
      referenceId: 'r',
      placementTimeoutSeconds: 30,
    };
    const placement = {
      placementConstraints: [{ type: 'distinctInstance' }],
      placementStrategy: [
        { type: 'spread', field: 'instanceId' },
        { type: 'random', field: '' },
      ],
    };
    expect(runTask({ ...members, ...placement })).toMatchObject({
      ...members,
      constraints: [{ type: 'distinctInstance' }],
      strategies: [{ type: 'spread', field: 'instanceId' }, { type: 'random' }],
    });
  });

  it('has the sizes of its overrides in units and MiB', () => {
    const { overrides } = runTask({ overrides: { cpu: '1 vCPU', memory: '1GB', taskRoleArn: 'role' } }, two);
    expect(overrides).toEqual({ containerOverrides: [], cpu: '1024', memory: '1024', taskRoleArn: 'role' });
  });

  it('may raise a container and its task together', () => {
    const request = { overrides: { memory: '1024', containerOverrides: [{ name: 'app', memory: 800 }] } };
    expect(runTask(request, two).overrides.containerOverrides).toEqual([{ name: 'app', memory: 800 }]);
  });
});

describe('tags', () => {
  const ofRevision = [
    { key: 'team', value: 'a' },
    { key: 'app', value: 'web' },
  ];
  const own = [{ key: 'team', value: 'b' }];

  it("are the request's own alone where nobody asked for more", () => {
    expect(runTask({ tags: own }, two, ofRevision).tags).toEqual(own);
    expect(runTask({ tags: own, propagateTags: 'NONE' }, two, ofRevision).tags).toEqual(own);
  });

  it("are the revision's too where asked for, and the request's own win", () => {
    const { tags } = runTask({ tags: own, propagateTags: 'TASK_DEFINITION' }, two, ofRevision);
    expect(tags).toEqual([
      { key: 'team', value: 'b' },
      { key: 'app', value: 'web' },
    ]);
  });

  it('name the cluster where asked for, beside fifty others', () => {
    const fifty = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}`, value: '' }));
    const { tags } = runTask({ tags: fifty, enableECSManagedTags: true });
    expect(tags.slice(50)).toEqual([{ key: 'aws:ecs:clusterName', value: 'default' }]);
    expect(() => runTask({ tags: fifty, propagateTags: 'TASK_DEFINITION' }, two, ofRevision)).toThrow(
      expect.objectContaining({ field: 'tags' }),
    );
  });
});
