import { Size, Stack } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';
import { exact } from '../../lib/exact.ts';
import { GantryCluster } from '../../lib/gantry-cluster.ts';
import { GantryHosts, type GantryHostsProps } from '../../lib/gantry-hosts.ts';
import { importedControlPlane, makeCluster, propertiesOf } from './support/cluster.ts';
import { testApp } from './support/synth.ts';

const large = new ec2.InstanceType('m7i.large');
const { template } = makeCluster({}, (cluster, stack) => {
  new GantryHosts(stack, 'Hosts', { cluster, count: 3, instanceType: large });
});
const only = (of: Template, type: string): [id: string, properties: Record<string, unknown>] => {
  const [found, ...others] = Object.entries(propertiesOf(of, type));
  if (found === undefined || others.length > 0) throw new Error(`${others.length + 1} resources of ${type}, not one`);
  return found;
};

describe('the cluster', () => {
  it('is made with the id of its host role, which EC2 alone may take', () => {
    const [role, { AssumeRolePolicyDocument }] = only(template, 'AWS::IAM::Role');
    template.hasResourceProperties('Custom::GantryCluster', {
      ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:resources',
      ClusterName: 'blue',
      HostRoleId: { 'Fn::GetAtt': [role, 'RoleId'] },
    });
    template.hasResourceProperties('AWS::IAM::Role', { Path: '/gantry/hosts/' });
    expect(AssumeRolePolicyDocument).toMatchObject({
      Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' } }],
    });
  });

  it('says what hosts are launched from that are bought: templates with a number, and a subnet a zone', () => {
    const [hostTemplate, { TagSpecifications }] = only(template, 'AWS::EC2::LaunchTemplate');
    const [, { LaunchTemplates, Subnets, ReservedMemoryMib }] = only(template, 'Custom::GantryCluster');
    expect(LaunchTemplates).toEqual({
      x86_64: { Id: { Ref: hostTemplate }, Version: { 'Fn::GetAtt': [hostTemplate, 'LatestVersionNumber'] } },
    });
    const subnets = Object.entries(propertiesOf(template, 'AWS::EC2::Subnet'));
    expect(Subnets).toEqual(subnets.map(([id, { AvailabilityZone }]) => ({ Zone: AvailabilityZone, Id: { Ref: id } })));
    expect(ReservedMemoryMib).toBeUndefined();
    expect(TagSpecifications).toEqual([
      {
        ResourceType: 'launch-template',
        Tags: expect.arrayContaining([{ Key: 'gantry:cluster', Value: 'blue' }]),
      },
    ]);
  });

  it('has hosts bought where it is told to, with the memory that it keeps', () => {
    const { template: chosen } = makeCluster({
      vpcSubnets: { subnetGroupName: 'Hosts' },
      reservedMemory: Size.mebibytes(700),
    });
    chosen.hasResourceProperties('Custom::GantryCluster', { ReservedMemoryMib: 700, Subnets: Match.anyValue() });
    expect(() => makeCluster({ vpcSubnets: { subnetFilters: [ec2.SubnetFilter.byIds([])] } })).toThrow(
      'but must be a selection of at least one subnet of the VPC',
    );
  });

  it('has a network that costs nothing while nothing runs, and lets nothing in', () => {
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.resourceCountIs('AWS::EC2::Subnet', 2);
    const [, group] = only(template, 'AWS::EC2::SecurityGroup');
    expect(group).not.toHaveProperty('SecurityGroupIngress');
  });

  it('lets in what an app connects to it', () => {
    const { template: connected } = makeCluster({}, (cluster) => {
      cluster.connections.allowFrom(ec2.Peer.ipv4('10.9.0.0/16'), ec2.Port.tcp(80));
    });
    connected.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: [Match.objectLike({ CidrIp: '10.9.0.0/16', FromPort: 80, ToPort: 80 })],
    });
  });

  it('names itself by its path where no name is given', () => {
    using made = testApp();
    const stack = new Stack(made.app, 'Test');
    const cluster = new GantryCluster(stack, 'Blue', { controlPlane: importedControlPlane(stack) });
    expect(cluster.clusterName).toMatch(/^TestBlue[0-9A-F]{8}$/);
  });
});

describe('what hosts are made of', () => {
  it('is Amazon Linux 2023 as of each launch, an encrypted disk, and metadata for the host alone', () => {
    template.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: {
        ImageId: 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
        MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        BlockDeviceMappings: [
          {
            DeviceName: '/dev/xvda',
            Ebs: { Encrypted: true, VolumeType: 'gp3', VolumeSize: 30, DeleteOnTermination: true },
          },
        ],
        InstanceType: Match.absent(),
      },
    });
  });

  it('exists for each architecture that is asked for, with the release of each', () => {
    const architectures = [ec2.InstanceArchitecture.X86_64, ec2.InstanceArchitecture.ARM_64];
    const { template: both } = makeCluster({ architectures }, (cluster, stack) => {
      new GantryHosts(stack, 'Hosts', { cluster, count: 1, instanceType: new ec2.InstanceType('m7g.large') });
    });
    const templates = Object.entries(propertiesOf(both, 'AWS::EC2::LaunchTemplate'));
    const [arm64 = ''] = templates.find(([, data]) => JSON.stringify(data).includes('kernel-default-arm64')) ?? [];
    expect(templates).toHaveLength(2);
    both.hasResourceProperties('AWS::EC2::Instance', { LaunchTemplate: { LaunchTemplateId: { Ref: arm64 } } });
    for (const parameter of Object.keys(propertiesOf(both, 'AWS::SSM::Parameter')))
      expect(templates.filter(([, data]) => JSON.stringify(data).includes(`{"Ref":"${parameter}"}`))).toHaveLength(1);
  });

  it('has a disk of the size that is asked for', () => {
    const { template: roomy } = makeCluster({ diskSize: Size.gibibytes(100) });
    roomy.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: { BlockDeviceMappings: [Match.objectLike({ Ebs: Match.objectLike({ VolumeSize: 100 }) })] },
    });
  });

  it('names the release in a parameter, which hosts may read, as they may fetch that one archive', () => {
    const [parameter, { Value }] = only(template, 'AWS::SSM::Parameter');
    const [, key = '', sha256 = ''] = /^(\S+\.gz) ([0-9a-f]{64})$/.exec(String(Value)) ?? [];
    expect(sha256).not.toBe('');
    const statements = statementsOf(template);
    expect(statements).toContainEqual({
      Action: 'ssm:GetParameter',
      Effect: 'Allow',
      Resource: { 'Fn::Join': ['', [...ownArn('ssm'), ':parameter/', { Ref: parameter }]] },
    });
    const fetches = statements.filter(({ Action }) => JSON.stringify(Action).includes('s3:'));
    expect(fetches).toHaveLength(1);
    expect(JSON.stringify(fetches[0])).toContain(`/${key}"`);
    expect(fetches[0]?.Action).toBe('s3:GetObject');
  });

  it('allows hosts to pull images and nothing else of the account', () => {
    const actions = statementsOf(template).flatMap(({ Action }) => Action);
    expect(actions.toSorted()).toEqual([
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetAuthorizationToken',
      'ecr:GetDownloadUrlForLayer',
      's3:GetObject',
      'ssm:GetParameter',
    ]);
    const narrowed = makeCluster({ pullFromAllRepositories: false }).template;
    expect(statementsOf(narrowed).flatMap(({ Action }) => Action)).not.toContain('ecr:BatchGetImage');
  });

  it('opens shells to operators only where that is wanted', () => {
    expect(only(template, 'AWS::IAM::Role')[1]).not.toHaveProperty('ManagedPolicyArns');
    const { template: opened } = makeCluster({ sessionManager: true });
    const [, { ManagedPolicyArns }] = only(opened, 'AWS::IAM::Role');
    expect(JSON.stringify(ManagedPolicyArns)).toContain('AmazonSSMManagedInstanceCore');
  });
});

interface Statement {
  readonly Action: string | string[];
  readonly Effect: string;
  readonly Resource: unknown;
}

const statementsOf = (of: Template): Statement[] =>
  Object.values(of.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) => Properties.PolicyDocument.Statement);

const ownArn = (service: string): unknown[] => [
  'arn:',
  { Ref: 'AWS::Partition' },
  `:${service}:`,
  { Ref: 'AWS::Region' },
  ':',
  { Ref: 'AWS::AccountId' },
];

describe('fixed hosts', () => {
  const instances = Object.entries(template.findResources('AWS::EC2::Instance'));

  it('are launched from the newest version of the template, over all subnets', () => {
    const [launchTemplate] = only(template, 'AWS::EC2::LaunchTemplate');
    const subnets = instances.map(([, { Properties }]) => Properties.SubnetId.Ref);
    expect(instances).toHaveLength(3);
    expect(new Set(subnets).size).toBe(2);
    for (const [, { Properties }] of instances)
      expect(Properties).toMatchObject({
        InstanceType: 'm7i.large',
        LaunchTemplate: {
          LaunchTemplateId: { Ref: launchTemplate },
          Version: { 'Fn::GetAtt': [launchTemplate, 'LatestVersionNumber'] },
        },
      });
  });

  it('are admitted by their ids, and drained before network, role or cluster go', () => {
    template.hasResourceProperties('Custom::GantryHosts', {
      ClusterName: 'blue',
      InstanceIds: instances.map(([id]) => ({ Ref: id })),
    });
    const [cluster] = only(template, 'Custom::GantryCluster');
    const [policy] = only(template, 'AWS::IAM::Policy');
    const routes = Object.keys(template.findResources('AWS::EC2::Route'));
    const [, admission] = Object.entries(template.findResources('Custom::GantryHosts'))[0] ?? [];
    expect(routes).toHaveLength(2);
    for (const resource of [admission, ...instances.map(([, instance]) => instance)])
      expect(resource?.DependsOn).toEqual(expect.arrayContaining([cluster, policy, ...routes]));
  });

  it('are not replaced where only the agent is another', () => {
    // What changes with it is a parameter's value and a policy; a launch template that had changed would replace every host.
    const [, { LaunchTemplateData }] = only(template, 'AWS::EC2::LaunchTemplate');
    const [, { Value }] = only(template, 'AWS::SSM::Parameter');
    const [key = '', sha256 = ''] = String(Value).split(' ');
    const text = JSON.stringify(LaunchTemplateData);
    expect(text).not.toContain(key);
    expect(text).not.toContain(sha256);
  });

  it('keep their logical ids when there are more or fewer of them', () => {
    const { template: more } = makeCluster({}, (cluster, stack) => {
      new GantryHosts(stack, 'Hosts', { cluster, count: 4, instanceType: large });
    });
    expect(Object.keys(more.findResources('AWS::EC2::Instance'))).toEqual(
      expect.arrayContaining(instances.map(([id]) => id)),
    );
  });
});

describe('grants', () => {
  const { template: granting } = makeCluster({}, (cluster, stack) => {
    const role = (id: string) =>
      new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    cluster.grantRunTask(role('Runner'));
    cluster.grantRead(role('Reader'));
    cluster.grantRegisterTaskDefinitions(role('Author'));
  });
  const pathsOf = (id: string): string[] => {
    const policies = Object.entries(granting.findResources('AWS::IAM::Policy'));
    const [, policy] = policies.find(([logicalId]) => logicalId.startsWith(id)) ?? [];
    const statements: Statement[] = policy?.Properties.PolicyDocument.Statement ?? [];
    return statements
      .flatMap(({ Resource }) => Resource)
      .map((arn) => /:api123\/\$default\/([^"]+)/.exec(JSON.stringify(arn))?.[1] ?? '');
  };

  it('allow running and stopping in this cluster alone', () => {
    const paths = pathsOf('Runner');
    expect(paths).toEqual(
      expect.arrayContaining(['POST/v1/clusters/blue/tasks', 'POST/v1/clusters/blue/tasks/*/stop']),
    );
    expect(paths.filter((path) => !/^(POST|PUT)\/v1\/clusters\/blue\//.test(path))).toEqual([]);
  });

  it('allow reading this cluster, and no other', () => {
    const paths = pathsOf('Reader');
    expect(paths).toContain('GET/v1/clusters/blue/tasks');
    expect(paths.filter((path) => /\/clusters\/(?!blue)/.test(path))).toEqual([]);
  });

  it('allow registering task definitions', () => {
    expect(pathsOf('Author')).toContain('POST/v1/task-definitions');
  });
});

describe('rules and metrics', () => {
  it('match what happens in this cluster, under ids of its own', () => {
    const { template: ruled } = makeCluster({}, (cluster, stack) => {
      const target = new SnsTopic(new sns.Topic(stack, 'Topic'));
      cluster.onTaskStateChange('Changed', { target, eventPattern: { detail: { lastStatus: ['STOPPED'] } } });
      const green = new GantryCluster(stack, 'Green', { controlPlane: cluster.controlPlane, clusterName: 'green' });
      green.onTaskStateChange('Changed', { target });
      green.onHostStateChange('HostChanged', { target });
    });
    const clusterArn = (name: string) => ({
      'Fn::Join': ['', ['arn:aws:ecs:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, `:cluster/${name}`]],
    });
    ruled.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: 'gantry-events',
      EventPattern: {
        source: ['gantry'],
        'detail-type': ['ECS Task State Change'],
        detail: { lastStatus: ['STOPPED'], clusterArn: [clusterArn('blue')] },
      },
    });
    ruled.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        'detail-type': ['ECS Container Instance State Change'],
        detail: { clusterArn: [clusterArn('green')] },
      },
    });
    ruled.resourceCountIs('AWS::Events::Rule', 3);
  });

  it('are counted for this cluster', () => {
    const { cluster, stack } = makeCluster();
    const shown = [cluster.metricTasksPending(), cluster.metricPlacementLatency(), cluster.metricHostSilent()];
    expect(shown.map((metric) => stack.resolve(metric.toMetricConfig().metricStat))).toMatchObject([
      { metricName: 'TasksPending', statistic: 'Maximum' },
      { metricName: 'PlacementLatencyMs', statistic: 'p99' },
      { metricName: 'HostSilent', statistic: 'Sum' },
    ]);
    expect(cluster.metric('TasksPending').dimensions).toEqual({ cluster: 'blue', service: 'TheControlPlane' });
  });
});

describe('an imported cluster', () => {
  it('grants and is connected to as one that the app makes', () => {
    using made = testApp();
    const stack = new Stack(made.app, 'Test');
    const vpc = exact<ec2.IVpc>(new ec2.Vpc(stack, 'Vpc'));
    const group = new ec2.SecurityGroup(stack, 'Group', { vpc });
    const cluster = GantryCluster.fromClusterAttributes(stack, 'Cluster', {
      controlPlane: importedControlPlane(stack),
      clusterName: 'blue',
      hostRoleArn: 'arn:aws:iam::123456789012:role/hosts',
      securityGroups: [group],
    });
    expect(cluster.connections.securityGroups).toEqual([group]);
    expect(cluster.hostRole.roleName).toBe('hosts');
    expect(stack.resolve(cluster.clusterArn)).toMatchObject({
      'Fn::Join': ['', expect.arrayContaining([':cluster/blue'])],
    });
  });
});

describe('wrong props', () => {
  it.each([
    [
      { clusterName: 'blue sky' },
      'clusterName is "blue sky", but must be 1 to 255 letters, digits, hyphens and underscores.',
    ],
    [{ architectures: [] }, 'architectures is [], but must be one or two different architectures.'],
    [{ diskSize: Size.gibibytes(4) }, 'diskSize is 4, but must be a whole number of GiB from 8 to 16384.'],
    [
      { hostAttributes: { rack: 'x'.repeat(129) } },
      /hostAttributes\.rack is "x+", but must be at most 128 characters\.$/,
    ],
    [{ hostAttributes: { 'my rack': 'a' } }, 'hostAttributes.my rack is "a", but must be named by 1 to 128 letters'],
  ])('of a cluster are refused by name, value and right form: %j', (props, message) => {
    expect(() => makeCluster(props)).toThrow(message);
  });

  const refused = (props: Partial<GantryHostsProps>) => () =>
    makeCluster({}, (cluster, stack) => {
      new GantryHosts(stack, 'Hosts', { cluster, count: 1, instanceType: large, ...props });
    });

  it.each([
    [{ count: 0 }, 'Test/Hosts: count is 0, but must be a whole number of hosts from 1 to 100 that is known at synth.'],
    [{ count: 1.5 }, 'count is 1.5'],
    [
      { instanceType: new ec2.InstanceType('m7g.large') },
      'instanceType is "m7g.large", but must be of the architecture x86_64, or the cluster\'s architectures must include arm64.',
    ],
  ])('of hosts are refused by name, value and right form: %j', (props, message) => {
    expect(refused(props)).toThrow(message);
  });

  it('of subnets are refused', () => {
    expect(refused({ vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS } })).toThrow(/subnet/);
  });
});
