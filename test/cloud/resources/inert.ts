/**
 * Types that change nothing of what runs on loopback: logs' groups, alarms, networks, instances of CloudFormation's own. They get a name
 * and the attributes that templates refer to; another attribute, or a type that is in no list, is a failure.
 */
import type { Reader } from './reader.ts';

/** From the type to the attributes that it has. `Arn` is made like an ARN, the rest is the resource's own id. */
export const inertTypes: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGateway::Account': [],
  'AWS::CloudFront::CachePolicy': ['Id'],
  'AWS::CloudFront::OriginRequestPolicy': ['Id'],
  'AWS::CloudWatch::Alarm': ['Arn'],
  'AWS::CloudWatch::CompositeAlarm': ['Arn'],
  'AWS::CloudWatch::Dashboard': [],
  'AWS::EC2::EIP': ['AllocationId'],
  'AWS::EC2::FlowLog': [],
  'AWS::EC2::Instance': ['InstanceId', 'PrivateIp', 'AvailabilityZone'],
  'AWS::EC2::InternetGateway': ['InternetGatewayId'],
  'AWS::EC2::NatGateway': ['NatGatewayId'],
  'AWS::EC2::Route': [],
  'AWS::EC2::RouteTable': ['RouteTableId'],
  'AWS::EC2::SecurityGroup': ['GroupId', 'VpcId'],
  'AWS::EC2::SecurityGroupEgress': [],
  'AWS::EC2::SecurityGroupIngress': [],
  'AWS::EC2::SubnetRouteTableAssociation': [],
  'AWS::EC2::VPC': [
    'VpcId',
    'CidrBlock',
    'DefaultSecurityGroup',
    'DefaultNetworkAcl',
    'Ipv6CidrBlocks',
    'CidrBlockAssociations',
  ],
  'AWS::EC2::VPCCidrBlock': [],
  'AWS::EC2::VPCEndpoint': [],
  'AWS::EC2::EgressOnlyInternetGateway': ['Id'],
  'AWS::EC2::VPCGatewayAttachment': [],
  'AWS::KMS::Alias': [],
  'AWS::Lambda::EventInvokeConfig': [],
  'AWS::Logs::LogGroup': ['Arn'],
  'AWS::Logs::MetricFilter': [],
  'AWS::Logs::QueryDefinition': [],
  'AWS::Logs::ResourcePolicy': [],
  'AWS::SNS::Topic': ['TopicArn', 'TopicName'],
  'AWS::SNS::Subscription': [],
  'AWS::SNS::TopicPolicy': [],
  'AWS::SQS::QueuePolicy': [],
  'AWS::SSM::Parameter': ['Value', 'Type'],
};

const prefixes: Readonly<Record<string, string>> = {
  'AWS::EC2::EIP': 'eipalloc-',
  'AWS::EC2::Instance': 'i-',
  'AWS::EC2::SecurityGroup': 'sg-',
  'AWS::EC2::VPC': 'vpc-',
};

export const inert: Reader = ({ world, logicalId, type }) => {
  const prefix = prefixes[type];
  const id = prefix === undefined ? `${world.options.stackName}-${logicalId}` : prefix + world.digest(logicalId, 17);
  const service = type.split('::')[1]?.toLowerCase() ?? '';
  const attributeOf = (attribute: string): string => {
    if (attribute.endsWith('Arn')) return world.arn(service, id);
    return attribute === 'AvailabilityZone' ? `${world.options.region}a` : id;
  };
  return { id, attributes: Object.fromEntries((inertTypes[type] ?? []).map((name) => [name, attributeOf(name)])) };
};
