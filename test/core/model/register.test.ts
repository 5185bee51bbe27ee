/** What a task definition must be, and what ECS' clients read where it is not. */
import { describe, expect, it } from 'vitest';
import { container, definitionRequest, register, registerContainer } from './requests.ts';

type Wrong = readonly [what: string, request: object, field: string, message: string | RegExp];

const refusals = (rows: readonly Wrong[], act: (request: object) => unknown, code = 'ClientException') =>
  it.each(rows)('%s', (_, request, field, message) => {
    expect(() => act(request)).toThrow(
      expect.objectContaining({ code, field, message: expect.stringMatching(message) }),
    );
  });

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

describe('a container is refused', () => {
  const at = (member: string) => `containerDefinitions[0].${member}`;
  refusals(
    [
      ['without a name', { name: '' }, at('name'), 'Container.name should not be null or empty.'],
      ['without an image', { image: '' }, at('image'), 'Container.image should not be null or empty.'],
      ['with a name of other characters', { name: 'a b' }, at('name'), 'invalid characters'],
      ['with an image of other characters', { image: 'busy box' }, at('image'), 'invalid characters'],
      ['with an image that is too long', { image: 'a'.repeat(256) }, at('image'), 'too long'],
      [
        'without any memory',
        { memory: undefined },
        at('memory'),
        "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.",
      ],
      ['with less memory than a container needs', { memory: 5 }, at('memory'), 'must be between 6 and'],
      ['with negative CPU', { cpu: -1 }, at('cpu'), 'must be between 0 and 196608; it is -1.'],
      [
        'with a soft limit that is no less than the hard one',
        { memoryReservation: 128 },
        at('memoryReservation'),
        "'memory' \\(128\\) must be greater than 'memoryReservation' \\(128\\)",
      ],
      ['with a negative time to stop', { stopTimeout: -1 }, at('stopTimeout'), 'between 0 and 86400'],
      ['with a time to start of more than a day', { startTimeout: 86_401 }, at('startTimeout'), 'between 0 and 86400'],
      ['with a user of three parts', { user: 'a:b:c' }, at('user'), 'must be user, uid'],
      ['with a host name that the kernel does not take', { hostname: 'a'.repeat(65) }, at('hostname'), '1 to 64'],
      ['with an argument that contains NUL', { command: ['ls', 'a\0b'] }, at('command[1]'), 'NUL'],
      [
        'with a variable without a name',
        { environment: [{ name: '', value: 'x' }] },
        at('environment[0].name'),
        'null or empty',
      ],
      [
        'with a variable that would be another',
        { environment: [{ name: 'A=B', value: 'x' }] },
        at('environment[0].name'),
        'must not contain',
      ],
      ['with a label without a name', { dockerLabels: { '': 'x' } }, at('dockerLabels'), 'without a name'],
      [
        'with an unknown limit',
        { ulimits: [{ name: 'hope', softLimit: 1, hardLimit: 1 }] },
        at('ulimits[0].name'),
        'no ulimit hope',
      ],
      [
        'with a soft limit above the hard one',
        { ulimits: [{ name: 'nofile', softLimit: 2, hardLimit: 1 }] },
        at('ulimits[0].softLimit'),
        'exceeds its hard limit',
      ],
      [
        'with an unlimited soft limit below a hard one',
        { ulimits: [{ name: 'core', softLimit: -1, hardLimit: 1 }] },
        at('ulimits[0].softLimit'),
        'exceeds its hard limit',
      ],
      [
        'with a limit twice',
        { ulimits: ['core', 'core'].map((name) => ({ name, softLimit: 0, hardLimit: 0 })) },
        at('ulimits[1].name'),
        'given twice',
      ],
      [
        'with another log driver',
        { logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'a' } } },
        at('logConfiguration.logDriver'),
        'awslogs is not supported yet',
      ],
      [
        'with a mapping without a port',
        { portMappings: [{ hostPort: 80 }] },
        at('portMappings[0].containerPort'),
        'is missing',
      ],
      [
        'with a port that is none',
        { portMappings: [{ containerPort: 0 }] },
        at('portMappings[0].containerPort'),
        'between 1 and 65535; it is 0',
      ],
      [
        'with a host port that is none',
        { portMappings: [{ containerPort: 80, hostPort: 65_536 }] },
        at('portMappings[0].hostPort'),
        'between 0 and 65535',
      ],
      [
        'with another protocol',
        { portMappings: [{ containerPort: 80, protocol: 'sctp' }] },
        at('portMappings[0].protocol'),
        'must be tcp or udp; it is "sctp"',
      ],
      [
        'with a port name in capitals',
        { portMappings: [{ containerPort: 80, name: 'Web' }] },
        at('portMappings[0].name'),
        'a-z',
      ],
    ],
    (members) => registerContainer(members),
  );

  it('with another host port in the network mode host', () => {
    expect(() =>
      registerContainer({ portMappings: [{ containerPort: 80, hostPort: 8080 }] }, { networkMode: 'host' }),
    ).toThrow('When networkMode=host, the host ports and container ports in port mappings must match.');
  });

  it('with ports where there is no network', () => {
    expect(() => registerContainer({ portMappings: [{ containerPort: 80 }] }, { networkMode: 'none' })).toThrow(
      expect.objectContaining({ field: 'containerDefinitions[0].portMappings' }),
    );
  });
});

describe('a dependency is refused', () => {
  const waiter = (dependsOn: object[], members: object = {}) => named('app', { dependsOn, ...members });
  const on = (containerName: string, condition = 'START') => ({ containerName, condition });
  const at = 'containerDefinitions[0].dependsOn';
  refusals(
    [
      ['on what is no container', of(waiter([on('db')])), `${at}[0].containerName`, 'db, which is no container'],
      ['given twice', of(waiter([on('db'), on('db')]), named('db')), `${at}[0].containerName`, 'twice'],
      ['with an unknown condition', of(waiter([on('db', 'SOON')]), named('db')), `${at}[0].condition`, 'it is "SOON"'],
      [
        'on health',
        of(waiter([on('db', 'HEALTHY')]), named('db')),
        `${at}[0].condition`,
        'HEALTHY is not supported yet',
      ],
      [
        'on the end of what is essential',
        of(waiter([on('db', 'SUCCESS')]), named('db')),
        `${at}[0].condition`,
        'essential',
      ],
      ['on itself', of(waiter([on('app')])), at, 'in a circle: app'],
      [
        'in a circle, which is named without those outside it',
        of(waiter([on('b')]), named('b', { dependsOn: [on('app')] }), named('free')),
        at,
        /in a circle: app, b\.$/,
      ],
    ],
    whole,
  );
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
