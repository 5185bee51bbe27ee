import { describe, expect, it } from 'vitest';
import { taskSchema } from '../../core/model/task.ts';
import { taskSpecSchema } from '../../core/model/task-spec.ts';
import { needsOf } from '../../core/task/create.ts';
import { resolveSpec } from '../../core/task/spec.ts';
import { containerDefinition, newTask, taskDefinition } from './tasks.ts';

const none = { containerOverrides: [] };
const context = { taskId: 'f00d', taskArn: 'arn:task', cluster: 'default', region: 'eu-north-1' };

describe('a new task', () => {
  it('waits for a host, at version 1, without unset members', () => {
    const task = newTask();
    expect(taskSchema.parse(JSON.parse(JSON.stringify(task)))).toEqual(task);
    expect(Object.values(task)).not.toContain(undefined);
    expect(task).toMatchObject({ desired: { status: 'RUNNING', version: 1 }, released: false, version: 1 });
    expect(task.needs).toMatchObject({ group: 'family:web', constraints: [], strategies: [] });
    expect(task).not.toHaveProperty('cpuUnits');
  });

  it('takes its sizes from the overrides, then from the revision', () => {
    const definition = taskDefinition({ cpu: '512', memory: '1024' });
    expect(newTask({ definition })).toMatchObject({ cpuUnits: 512, memoryMib: 1024 });
    expect(newTask({ definition, overrides: { ...none, memory: '2048' } })).toMatchObject({
      cpuUnits: 512,
      memoryMib: 2048,
    });
  });
});

describe('what a task needs', () => {
  const containers = [
    containerDefinition('app', { cpu: 256, memory: 512, memoryReservation: 128 }),
    containerDefinition('side', { cpu: 64, memory: 100 }),
    containerDefinition('none', { memoryReservation: 50 }),
  ];
  const reserve = (...[definition, overrides]: Parameters<typeof needsOf>) =>
    needsOf(definition, overrides, {}).reservation;

  it('is the task size, else the sum over containers with the soft limit first', () => {
    const definition = taskDefinition({ containerDefinitions: containers });
    expect(reserve(definition, none, {})).toEqual({ cpuUnits: 320, memoryMib: 278, ports: [] });
    expect(reserve({ ...definition, cpu: '1024', memory: '600' }, none, {})).toMatchObject({
      cpuUnits: 1024,
      memoryMib: 600,
    });
  });

  it('follows overrides at both levels', () => {
    const definition = taskDefinition({ containerDefinitions: containers });
    const overrides = { containerOverrides: [{ name: 'app', cpu: 512, memoryReservation: 200 }] };
    expect(reserve(definition, overrides, {})).toMatchObject({ cpuUnits: 576, memoryMib: 350 });
    expect(reserve(definition, { ...overrides, cpu: '128' }, {})).toMatchObject({ cpuUnits: 128, memoryMib: 350 });
  });

  it('has the static ports: of bridge those given, of host mode all, without a network none', () => {
    const portMappings = [
      { containerPort: 80, hostPort: 8080, protocol: 'tcp' as const },
      { containerPort: 53, hostPort: 0, protocol: 'udp' as const },
    ];
    const containerDefinitions = [containerDefinition('app', { memory: 10, portMappings })];
    const ports = (networkMode: 'bridge' | 'host' | 'none') =>
      reserve(taskDefinition({ networkMode, containerDefinitions }), none, {}).ports;
    expect(ports('bridge')).toEqual(['tcp/8080']);
    expect(ports('host')).toEqual(['tcp/80', 'udp/53']);
    expect(ports('none')).toEqual([]);
  });

  it('has the architecture as an attribute', () => {
    const attributes = (cpuArchitecture: 'X86_64' | 'ARM64') =>
      needsOf(taskDefinition({ runtimePlatform: { cpuArchitecture } }), none, {}).attributes;
    expect(attributes('ARM64')).toEqual({ 'ecs.cpu-architecture': 'arm64' });
    expect(attributes('X86_64')).toEqual({ 'ecs.cpu-architecture': 'x86_64' });
    expect(needsOf(taskDefinition(), none, {}).attributes).toEqual({});
  });
});

describe('a task spec', () => {
  it('has every default resolved', () => {
    const spec = resolveSpec(taskDefinition({ cpu: '256', memory: '512' }), none, context);
    expect(taskSpecSchema.parse(spec)).toEqual(spec);
    expect(spec).toEqual({
      taskId: 'f00d',
      taskArn: 'arn:task',
      cluster: 'default',
      family: 'web',
      revision: 3,
      networkMode: 'bridge',
      cpuUnits: 256,
      memoryMib: 512,
      containers: [
        {
          name: 'app',
          image: 'registry/app:1',
          essential: true,
          cpuUnits: 0,
          memoryMib: 256,
          environment: [
            { name: 'AWS_REGION', value: 'eu-north-1' },
            { name: 'AWS_DEFAULT_REGION', value: 'eu-north-1' },
          ],
          portMappings: [],
          ulimits: [],
          readonlyRootFilesystem: false,
          labels: {
            'com.amazonaws.ecs.cluster': 'default',
            'com.amazonaws.ecs.container-name': 'app',
            'com.amazonaws.ecs.task-arn': 'arn:task',
            'com.amazonaws.ecs.task-definition-family': 'web',
            'com.amazonaws.ecs.task-definition-version': '3',
          },
          dependsOn: [],
          stopTimeoutSeconds: 30,
        },
      ],
    });
  });

  it('replaces the command, merges the environment by name, and leaves the region that was chosen', () => {
    const app = containerDefinition('app', {
      command: ['serve'],
      environment: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
        { name: 'AWS_REGION', value: 'mine' },
      ],
      stopTimeout: 5,
      startTimeout: 7,
      dockerLabels: { team: 'x', 'com.amazonaws.ecs.cluster': 'forged' },
    });
    const definition = taskDefinition({
      containerDefinitions: [app, containerDefinition('side', { command: ['side'] })],
    });
    const overrides = {
      containerOverrides: [
        {
          name: 'app',
          command: ['migrate', '--now'],
          environment: [
            { name: 'B', value: 'two' },
            { name: 'C', value: '3' },
          ],
          memory: 64,
        },
      ],
    };
    const [first, second] = resolveSpec(definition, overrides, context).containers;
    expect(first).toMatchObject({
      command: ['migrate', '--now'],
      memoryMib: 64,
      stopTimeoutSeconds: 5,
      startTimeoutSeconds: 7,
    });
    expect(first?.environment).toEqual([
      { name: 'A', value: '1' },
      { name: 'AWS_REGION', value: 'mine' },
      { name: 'B', value: 'two' },
      { name: 'C', value: '3' },
      { name: 'AWS_DEFAULT_REGION', value: 'eu-north-1' },
    ]);
    expect(first?.labels).toMatchObject({ team: 'x', 'com.amazonaws.ecs.cluster': 'default' });
    expect(second?.command).toEqual(['side']);
  });

  it('publishes in host mode what the container listens on', () => {
    const portMappings = [{ containerPort: 80, hostPort: 0, protocol: 'tcp' as const }];
    const containerDefinitions = [containerDefinition('app', { portMappings })];
    const [app] = resolveSpec(taskDefinition({ networkMode: 'host', containerDefinitions }), none, context).containers;
    expect(app?.portMappings).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'tcp' }]);
  });
});
