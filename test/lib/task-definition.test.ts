import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aws, CfnParameter, Fn, Lazy, RemovalPolicy, Size, Stack, Token } from 'aws-cdk-lib';
import { Annotations, Template } from 'aws-cdk-lib/assertions';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registerTaskDefinitionInputSchema } from '../../core/api/task-definitions.ts';
import { GantryCluster } from '../../lib/gantry-cluster.ts';
import { GantryTaskDefinition } from '../../lib/gantry-task-definition.ts';
import { GantryImage } from '../../lib/image.ts';
import { GantryLogging } from '../../lib/logging.ts';
import type { GantryContainer, GantryTaskDefinitionProps } from '../../lib/task-definition/props.ts';
import { importedControlPlane, propertiesOf } from './support/cluster.ts';
import { installation, type TestApp, testApp } from './support/synth.ts';

let made: TestApp;
let stack: Stack;
beforeEach(() => {
  made = testApp();
  stack = new Stack(made.app, 'Test');
});
afterEach(() => made[Symbol.dispose]());

const busybox = GantryImage.fromRegistry('public.ecr.aws/docker/library/busybox:1');
const web: GantryContainer = { name: 'web', image: busybox, memory: 64 };

function define(props: Partial<GantryTaskDefinitionProps> = {}): GantryTaskDefinition {
  const controlPlane = props.controlPlane ?? importedControlPlane(stack);
  return new GantryTaskDefinition(stack, 'Web', { family: 'web', containers: [web], ...props, controlPlane });
}

/** What the function is told, with a mark in place of each reference. */
function definitionIn(template: Template): unknown {
  const [properties] = Object.values(propertiesOf(template, 'Custom::GantryTaskDefinition'));
  const text = properties?.Definition;
  if (typeof text === 'string') return JSON.parse(text);
  const parts: unknown[] = (text as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : '<reference>')).join(''));
}

describe('the registration', () => {
  it('is the input of RegisterTaskDefinition, member by member', () => {
    define({
      cpu: '0.5 vCPU',
      memory: '1 GB',
      networkMode: 'bridge',
      cpuArchitecture: 'ARM64',
      tags: { team: 'blue' },
      containers: [
        {
          ...web,
          cpu: 128,
          memoryReservation: 32,
          essential: true,
          entryPoint: ['/bin/sh'],
          command: ['-c', 'true'],
          environment: { PORT: '80' },
          portMappings: [{ containerPort: 80, protocol: 'tcp' }],
          ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 2048 }],
          user: '1000:1000',
          workingDirectory: '/srv',
          readonlyRootFilesystem: true,
          hostname: 'web',
          dockerLabels: { a: 'b' },
          logging: GantryLogging.jsonFile({ maxSize: Size.mebibytes(1), maxFile: 2 }),
          startTimeout: 30,
          stopTimeout: 10,
        },
        { name: 'side', image: busybox, essential: false, dependsOn: [{ containerName: 'web', condition: 'START' }] },
      ],
    });
    const definition = definitionIn(Template.fromStack(stack));
    expect(registerTaskDefinitionInputSchema.parse(definition)).toEqual(definition);
    expect(definition).toEqual({
      family: 'web',
      cpu: '0.5 vCPU',
      memory: '1 GB',
      networkMode: 'bridge',
      runtimePlatform: { cpuArchitecture: 'ARM64' },
      tags: [{ key: 'team', value: 'blue' }],
      containerDefinitions: [
        {
          name: 'web',
          image: 'public.ecr.aws/docker/library/busybox:1',
          cpu: 128,
          memory: 64,
          memoryReservation: 32,
          essential: true,
          entryPoint: ['/bin/sh'],
          command: ['-c', 'true'],
          environment: [{ name: 'PORT', value: '80' }],
          portMappings: [{ containerPort: 80, protocol: 'tcp' }],
          ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 2048 }],
          user: '1000:1000',
          workingDirectory: '/srv',
          readonlyRootFilesystem: true,
          hostname: 'web',
          dockerLabels: { a: 'b' },
          logConfiguration: { logDriver: 'json-file', options: { 'max-size': '1024k', 'max-file': '2' } },
          startTimeout: 30,
          stopTimeout: 10,
        },
        {
          name: 'side',
          image: 'public.ecr.aws/docker/library/busybox:1',
          essential: false,
          environment: [],
          dependsOn: [{ containerName: 'web', condition: 'START' }],
        },
      ],
    });
  });

  it('answers the ARN of the revision, and deregisters what it replaces unless that is retained', () => {
    const { taskDefinitionArn } = define();
    const template = Template.fromStack(stack);
    const [[id, resource] = ['', {}]] = Object.entries(template.findResources('Custom::GantryTaskDefinition'));
    expect(stack.resolve(taskDefinitionArn)).toEqual({ 'Fn::GetAtt': [id, 'Arn'] });
    expect(resource).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
  });

  it('leaves revisions where they are retained', () => {
    define({ removalPolicy: RemovalPolicy.RETAIN });
    Template.fromStack(stack).hasResource('Custom::GantryTaskDefinition', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  it('names the family by the path where no name is given', () => {
    const controlPlane = importedControlPlane(stack);
    const { family } = new GantryTaskDefinition(stack, 'Web', { controlPlane, containers: [web] });
    expect(family).toMatch(/^TestWeb[0-9A-F]{8}$/);
  });
});

const hostRoleArn = 'arn:aws:iam::123456789012:role/hosts';

function cluster() {
  const controlPlane = importedControlPlane(stack);
  return GantryCluster.fromClusterAttributes(stack, 'Cluster', { controlPlane, clusterName: 'blue', hostRoleArn });
}

/** What may be done with which resource, by statements that allow this. */
const allowed = (template: Template, action: string): { Action: unknown; Resource: unknown }[] =>
  Object.values(propertiesOf(template, 'AWS::IAM::Policy'))
    .flatMap(
      ({ PolicyDocument }) => (PolicyDocument as { Statement: { Action: unknown; Resource: unknown }[] }).Statement,
    )
    .filter(({ Action }) => [Action].flat().includes(action));

describe('images', () => {
  const pullsOf = (template: Template): unknown[] =>
    allowed(template, 'ecr:BatchGetImage').map(({ Resource }) => Resource);

  it('of ECR are named by their repository, and hosts of the clusters may pull them', () => {
    const repository = new ecr.Repository(stack, 'Repository');
    const blue = cluster();
    define({
      controlPlane: blue.controlPlane,
      clusters: [blue],
      containers: [{ ...web, image: GantryImage.fromEcrRepository(repository, 'v1') }],
    });
    const template = Template.fromStack(stack);
    const [id = ''] = Object.keys(template.findResources('AWS::ECR::Repository'));
    expect(pullsOf(template)).toEqual([{ 'Fn::GetAtt': [id, 'Arn'] }]);
    expect(definitionIn(template)).toMatchObject({
      containerDefinitions: [{ image: expect.stringMatching(/<reference>:v1$/) }],
    });
  });

  it('are built from a directory without Docker at synth, for the architecture of the task', () => {
    const blue = cluster();
    define({
      controlPlane: blue.controlPlane,
      clusters: [blue],
      cpuArchitecture: 'ARM64',
      containers: [{ ...web, image: GantryImage.fromAsset(installation, { file: 'install.sh' }) }],
    });
    const { directory } = made.app.synth();
    const { dockerImages } = JSON.parse(readFileSync(join(directory, 'Test.assets.json'), 'utf8'));
    expect(Object.values(dockerImages)).toMatchObject([{ source: { platform: 'linux/arm64' } }]);
    expect(pullsOf(Template.fromStack(stack))).toHaveLength(1);
  });

  it('may be assets that are there already', () => {
    const asset = new DockerImageAsset(stack, 'Asset', { directory: installation, file: 'install.sh' });
    define({ containers: [{ ...web, image: GantryImage.fromDockerImageAsset(asset) }] });
    const [properties] = Object.values(propertiesOf(Template.fromStack(stack), 'Custom::GantryTaskDefinition'));
    expect(JSON.stringify(properties?.Definition)).toContain(asset.assetHash);
  });

  it('can be pulled by the hosts of a cluster in which somebody may run the task', () => {
    const repository = new ecr.Repository(stack, 'Repository');
    const blue = cluster();
    const caller = new iam.Role(stack, 'Caller', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const containers = [{ ...web, image: GantryImage.fromEcrRepository(repository) }];
    define({ controlPlane: blue.controlPlane, containers }).grantRun(caller, blue);
    const template = Template.fromStack(stack);
    expect(pullsOf(template)).toHaveLength(1);
    expect(JSON.stringify(propertiesOf(template, 'AWS::IAM::Policy'))).toContain('/POST/v1/clusters/blue/tasks');
  });
});

describe('logs', () => {
  it('are sent to CloudWatch Logs by the hosts of the clusters, which may', () => {
    const logGroup = new logs.LogGroup(stack, 'Logs');
    const blue = cluster();
    const logging = GantryLogging.awsLogs({
      logGroup,
      streamPrefix: 'web',
      mode: 'blocking',
      maxBufferSize: Size.mebibytes(4),
      datetimeFormat: '%Y-%m-%d',
    });
    define({ controlPlane: blue.controlPlane, clusters: [blue], containers: [{ ...web, logging }] });
    const template = Template.fromStack(stack);
    expect(definitionIn(template)).toMatchObject({
      containerDefinitions: [
        {
          logConfiguration: {
            logDriver: 'awslogs',
            options: {
              'awslogs-group': '<reference>',
              'awslogs-region': '<reference>',
              'awslogs-stream-prefix': 'web',
              'awslogs-datetime-format': '%Y-%m-%d',
              mode: 'blocking',
              'max-buffer-size': '4096k',
            },
          },
        },
      ],
    });
    const [id = ''] = Object.keys(template.findResources('AWS::Logs::LogGroup'));
    expect(allowed(template, 'logs:PutLogEvents')).toEqual([
      {
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Effect: 'Allow',
        Resource: { 'Fn::GetAtt': [id, 'Arn'] },
      },
    ]);
  });
});

describe('what is wrong', () => {
  const container = (members: Partial<GantryContainer>) => ({ containers: [{ ...web, ...members }] });

  it.each<[string, Partial<GantryTaskDefinitionProps>, string]>([
    ['a family', { family: 'my web' }, 'Test/Web: family is "my web". Invalid family: my web It is 1 to 255 letters'],
    ['no container', { containers: [] }, 'Test/Web: containers is []. Container list cannot be empty.'],
    [
      'an image',
      container({ image: GantryImage.fromRegistry('a b') }),
      'Test/Web: containers[0].image is "a b". Container.image contains',
    ],
    [
      'a size',
      container({ memory: 5 }),
      'Test/Web: containers[0].memory is 5. containers[0].memory must be between 6 and 33554432',
    ],
    [
      'an option of the log',
      container({ logging: GantryLogging.jsonFile({ maxSize: Size.kibibytes(1) }) }),
      'Test/Web: containers[0].logConfiguration.options.max-size is "1k". max-size must be a size between 4k and 1024g',
    ],
    ['a fraction', container({ memory: 64.5 }), 'Test/Web: containers[0].memory is 64.5. Invalid input: expected int'],
    ['a size of the task', { cpu: 'half' }, 'Test/Web: cpu is "half". Invalid \'cpu\' setting for task. It is 128 to'],
    [
      'a missing size',
      container({ memory: undefined as never }),
      "At least one of 'memory' or 'memoryReservation' must be specified.",
    ],
    [
      'a port that is mapped twice',
      {
        networkMode: 'bridge',
        ...container({ portMappings: [80, 81].map((containerPort) => ({ containerPort, hostPort: 80 })) }),
      },
      'Test/Web: containers[0].portMappings[1].hostPort is 80. The host port tcp/80 is mapped twice. Give each mapping a port',
    ],
    [
      'an unknown container that is waited for',
      container({ dependsOn: [{ containerName: 'db', condition: 'START' }] }),
      'Test/Web: containers[0].dependsOn[0].containerName is "db". web depends on db, which is no container of the task.',
    ],
    [
      'a tag',
      { tags: { 'aws:x': 'y' } },
      'Test/Web: tags[0].key is "aws:x". tags[0].key begins with aws:, which is reserved.',
    ],
    [
      'a member that there is not',
      container({ memroy: 64 } as never),
      'Test/Web: containers[0].memroy is 64. There is no such member.',
    ],
  ])('is refused at synth by prop, value and right form: %s', (_, props, message) => {
    expect(() => define(props)).toThrow(message);
  });

  it('is warned of where it is without effect', () => {
    const taskRole = new iam.Role(stack, 'TaskRole', { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com') });
    define({ taskRole });
    Annotations.fromStack(stack).hasWarning(
      '/Test/Web',
      'taskRoleArn: recorded only. No credentials provider is configured, so containers get no credentials from it. ' +
        '[ack: gantry:taskRoleArn]',
    );
  });
});

describe('what is known at deployment only', () => {
  it('is registered as it will be, and the rest is checked', () => {
    const size = new CfnParameter(stack, 'Size', { type: 'Number' });
    define({
      family: `web-${Aws.REGION}`,
      memory: Lazy.string({ produce: () => '512' }),
      containers: [
        {
          ...web,
          image: GantryImage.fromRegistry(`${Aws.ACCOUNT_ID}.example.com/web:1`),
          memory: size.valueAsNumber,
          command: Fn.split(',', Fn.importValue('Command')),
          environment: { REGION: Aws.REGION },
        },
      ],
    });
    expect(Template.fromStack(stack)).toBeDefined();
  });

  it('leaves only what depends on it unchecked', () => {
    const memory = Token.asNumber({ Ref: 'Size' });
    expect(() => define({ containers: [{ ...web, memory, user: 'a b' }] })).toThrow('containers[0].user is "a b"');
  });
});
