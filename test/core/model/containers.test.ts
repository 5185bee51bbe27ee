/** What a container and its dependencies must be, and what ECS' clients read where they are not. */
import { describe, expect, it } from 'vitest';
import { refusals } from './refusals.ts';
import { container, definitionRequest, register, registerContainer } from './requests.ts';

const of = (...containers: object[]) => ({ containerDefinitions: containers });
const named = (name: string, members: object = {}) => ({ ...container, name, ...members });
const awslogs = (options: object) => ({ logDriver: 'awslogs', options: { 'awslogs-group': 'a', ...options } });
const whole = (request: object) => register({ ...definitionRequest, ...request });

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
        { logConfiguration: { logDriver: 'fluentd', options: { 'fluentd-address': 'a' } } },
        at('logConfiguration.logDriver'),
        'fluentd is not supported yet',
      ],
      [
        'with an option that its log driver does not have',
        { logConfiguration: { logDriver: 'json-file', options: { compress: 'true' } } },
        at('logConfiguration.options.compress'),
        'has no option compress',
      ],
      [
        'with an option that would run in the agent',
        { logConfiguration: awslogs({ 'awslogs-multiline-pattern': '^x' }) },
        at('logConfiguration.options.awslogs-multiline-pattern'),
        'has no option awslogs-multiline-pattern',
      ],
      [
        'with a log group that it does not name',
        { logConfiguration: { logDriver: 'awslogs', options: {} } },
        at('logConfiguration.options.awslogs-group'),
        'needs the option awslogs-group',
      ],
      ...Object.entries({
        'awslogs-group': 'a b',
        'awslogs-region': 'Frankfurt',
        'awslogs-stream-prefix': 'a:b',
        'awslogs-create-group': 'yes',
        'awslogs-datetime-format': '%Q',
        mode: 'sometimes',
        'max-buffer-size': 'much',
      }).map(
        ([name, value]) =>
          [
            `with the ${name} "${value}"`,
            { logConfiguration: awslogs({ [name]: value }) },
            at(`logConfiguration.options.${name}`),
            `${name} must be `,
          ] as const,
      ),
      ...['0', '10', '-1', '10 m', '2000g', ''].map(
        (size) =>
          [
            `with a log of at most "${size}"`,
            { logConfiguration: { logDriver: 'json-file', options: { 'max-size': size } } },
            at('logConfiguration.options.max-size'),
            'must be a size between 4k and 1024g',
          ] as const,
      ),
      [
        'with a log of half a file',
        { logConfiguration: { logDriver: 'json-file', options: { 'max-file': '0.5' } } },
        at('logConfiguration.options.max-file'),
        'a whole number between 1 and 1000',
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
        'with a range that is none',
        { portMappings: [{ containerPortRange: '8000' }] },
        at('portMappings[0].containerPortRange'),
        'must be two ports from 1 to 65535, the lesser one first, as in 8000-8010; it is "8000"',
      ],
      [
        'with a range that is upside down',
        { portMappings: [{ containerPortRange: '8010-8010' }] },
        at('portMappings[0].containerPortRange'),
        'the lesser one first',
      ],
      [
        'with a range beyond the ports',
        { portMappings: [{ containerPortRange: '65000-65536' }] },
        at('portMappings[0].containerPortRange'),
        'from 1 to 65535',
      ],
      [
        'with a range on a static port',
        { portMappings: [{ containerPortRange: '8000-8010', hostPort: 8000 }] },
        at('portMappings[0].hostPort'),
        'both hostPort and containerPortRange',
      ],
      [
        'with a port twice',
        { portMappings: [{ containerPort: 8005 }, { containerPortRange: '8000-8010' }] },
        at('portMappings[1].containerPortRange'),
        'has a tcp port in common with',
      ],
      [
        'with more ranges than ECS takes',
        {
          portMappings: Array.from({ length: 101 }, (_, index) => ({
            containerPortRange: `${1000 + 2 * index}-${1001 + 2 * index}`,
          })),
        },
        at('portMappings'),
        'has 101 ranges; a container may have 100',
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

  it('with a range in the network mode host', () => {
    expect(() =>
      registerContainer({ portMappings: [{ containerPortRange: '8000-8010' }] }, { networkMode: 'host' }),
    ).toThrow('A containerPortRange needs network mode bridge.');
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
