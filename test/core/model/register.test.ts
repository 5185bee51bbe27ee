/** What a task definition must be, and what ECS' clients read where it is not. */
import { describe, expect, it } from 'vitest';
import { refusals } from './refusals.ts';
import { container, definitionRequest, register, registerContainer } from './requests.ts';

const of = (...containers: object[]) => ({ containerDefinitions: containers });
const named = (name: string, members: object = {}) => ({ ...container, name, ...members });
const whole = (request: object) => register({ ...definitionRequest, ...request });

describe('a task definition is refused', () => {
  refusals(
    [
      ['without a name of its family', { family: '' }, 'family', 'Family should not be null or empty.'],
      ['with a family of other characters', { family: 'a.b' }, 'family', 'Invalid family: a.b'],
      ['with a family that is too long', { family: 'a'.repeat(256) }, 'family', 'Invalid family'],
      ['without containers', of(), 'containerDefinitions', 'Container list cannot be empty.'],
      [
        'with more containers than ten',
        of(...Array.from({ length: 11 }, (_, index) => named(`c${index}`))),
        'containerDefinitions',
        'Too many containers.',
      ],
      ['with two containers of one name', of(container, container), 'containerDefinitions[1].name', 'named app'],
      [
        'without an essential container',
        of({ ...container, essential: false }),
        'containerDefinitions[0].essential',
        /./,
      ],
      ['with the network mode awsvpc', { networkMode: 'awsvpc' }, 'networkMode', 'awsvpc is not supported yet'],
      ['with an unknown network mode', { networkMode: 'wifi' }, 'networkMode', 'must be bridge, host or none'],
      ['with too little CPU', { cpu: '127' }, 'cpu', "Invalid 'cpu' setting for task."],
      ['with too much CPU', { cpu: '193 vCPU' }, 'cpu', "Invalid 'cpu' setting for task."],
      ['with CPU in words', { cpu: 'lots' }, 'cpu', "Invalid 'cpu' setting for task."],
      ['with parts of a unit', { cpu: '0.3333 vCPU' }, 'cpu', "Invalid 'cpu' setting for task."],
      ['with memory in words', { memory: '1 TB' }, 'memory', "Invalid 'memory' setting for task."],
      ['with too little memory', { memory: '5' }, 'memory', "Invalid 'memory' setting for task."],
      [
        'larger than ECS takes',
        of(named('app', { command: ['x'.repeat(70_000)] })),
        '',
        /^Actual length: '7\d{4}'. Max allowed length is '65536' bytes.$/,
      ],
      [
        'for an unknown launch type',
        { requiresCompatibilities: ['EC2', 'MOON'] },
        'requiresCompatibilities[1]',
        'MOON',
      ],
      [
        'for managed instances alone',
        { requiresCompatibilities: ['MANAGED_INSTANCES'] },
        'requiresCompatibilities',
        'EC2 or EXTERNAL',
      ],
      [
        'for Windows',
        { runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' } },
        'runtimePlatform.operatingSystemFamily',
        'must be LINUX',
      ],
      [
        'for another processor',
        { runtimePlatform: { cpuArchitecture: 'RISCV' } },
        'runtimePlatform.cpuArchitecture',
        'must be X86_64 or ARM64',
      ],
      ['with a role that is none', { taskRoleArn: 'no role' }, 'taskRoleArn', 'Role is not valid.'],
      [
        'with containers of more memory than it has',
        { memory: '100' },
        'containerDefinitions[0].memory',
        "Invalid setting for container 'app'.",
      ],
      [
        'with containers of more memory together',
        { memory: '200', ...of(container, named('b')) },
        'memory',
        'The containers have 256 MiB of memory together, the task only 200.',
      ],
      [
        'with containers of more CPU together',
        { cpu: '128', ...of({ ...container, cpu: 129 }) },
        'cpu',
        '129 CPU units together',
      ],
      [
        'with one host port twice',
        of(...['a', 'b'].map((name) => named(name, { portMappings: [{ containerPort: 80, hostPort: 8080 }] }))),
        'containerDefinitions[1].portMappings[0].hostPort',
        'tcp/8080 is mapped twice',
      ],
    ],
    whole,
  );

  it('for Fargate, with what to use instead, whatever else it has', () => {
    const fargate = {
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      ephemeralStorage: { sizeInGiB: 30 },
    };
    expect(() => whole(fargate)).toThrow(
      expect.objectContaining({
        code: 'PlatformTaskDefinitionIncompatibilityException',
        field: 'requiresCompatibilities',
        hint: expect.stringContaining('Use launch type EC2'),
      }),
    );
  });
});

describe('tags are refused', () => {
  refusals(
    [
      [
        'when there are more than fifty',
        Array.from({ length: 51 }, (_, index) => ({ key: `k${index}`, value: '' })),
        'tags',
        '0 to 50 entries; it has 51',
      ],
      ['without a key', [{ key: '' }], 'tags[0].key', '1 to 128'],
      ['with a key that is too long', [{ key: 'k'.repeat(129) }], 'tags[0].key', '1 to 128'],
      ['with a value that is too long', [{ key: 'k', value: 'v'.repeat(257) }], 'tags[0].value', 'at most 256'],
      ['with other characters', [{ key: 'k', value: 'a;b' }], 'tags[0].value', 'characters'],
      ["with AWS' own prefix", [{ key: 'Aws:k', value: 'v' }], 'tags[0].key', 'reserved'],
      ['with a key twice', [{ key: 'k' }, { key: 'k' }], 'tags[1].key', 'Duplicate'],
    ],
    (tags) => whole({ tags }),
    'InvalidParameterException',
  );
});

describe('what is left out', () => {
  it('is filled in as ECS does it', () => {
    const { definition, tags } = registerContainer({ portMappings: [{ containerPort: 80 }] });
    expect(tags).toEqual([]);
    expect(definition).toEqual({
      family: 'web',
      networkMode: 'bridge',
      containerDefinitions: [
        {
          ...container,
          cpu: 0,
          essential: true,
          environment: [],
          portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }],
        },
      ],
    });
  });

  it('is the same port of the host in the network mode host', () => {
    const { definition } = registerContainer({ portMappings: [{ containerPort: 80 }] }, { networkMode: 'host' });
    expect(definition.containerDefinitions[0]?.portMappings).toEqual([
      { containerPort: 80, hostPort: 80, protocol: 'tcp' },
    ]);
  });

  it('may be the memory of containers where the task has its own', () => {
    expect(registerContainer({ memory: undefined }, { memory: '64' }).definition.memory).toBe('64');
  });

  it('counts as left out where a tool wrote an empty text', () => {
    const { definition } = registerContainer({ user: '', hostname: '', workingDirectory: '' }, { taskRoleArn: '' });
    expect(definition.containerDefinitions[0]).not.toHaveProperty('user');
    expect(definition.containerDefinitions[0]).not.toHaveProperty('hostname');
    expect(definition.containerDefinitions[0]).not.toHaveProperty('workingDirectory');
    expect(definition).not.toHaveProperty('taskRoleArn');
  });
});

describe('sizes of a task', () => {
  it.each([
    ['256', '256'],
    [' 1 vCPU', '1024'],
    ['.25vcpu', '256'],
    ['192 vCPU', '196608'],
  ])('are CPU units: %s', (cpu, units) => {
    expect(whole({ cpu }).definition.cpu).toBe(units);
  });

  it.each([
    ['512', '512'],
    ['1GB', '1024'],
    ['0.5 gb', '512'],
  ])('are MiB: %s', (memory, mib) => {
    expect(whole({ memory }).definition.memory).toBe(mib);
  });
});

it('takes a definition for Fargate and EC2 as one for EC2, and says so', () => {
  const { definition, warnings } = whole({ requiresCompatibilities: ['EC2', 'FARGATE'] });
  expect(definition.requiresCompatibilities).toEqual(['EC2', 'FARGATE']);
  expect(warnings).toEqual([expect.stringContaining('requiresCompatibilities: recorded only.')]);
});

it('takes containers that wait for each other in order', () => {
  const chain = of(
    named('web', { dependsOn: [{ containerName: 'migrate', condition: 'SUCCESS' }] }),
    named('migrate', { essential: false, dependsOn: [{ containerName: 'db', condition: 'START' }] }),
    named('db'),
  );
  expect(whole(chain).definition.containerDefinitions.map(({ dependsOn }) => dependsOn?.length)).toEqual([
    1,
    1,
    undefined,
  ]);
});
