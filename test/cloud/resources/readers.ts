/** Every type of resource that the platform knows, with what reads it. */
import { api, integration, route, stage } from './api-gateway.ts';
import { distribution, edgeFunction } from './cloud-front.ts';
import { customResource } from './custom.ts';
import { dynamoDbTable } from './dynamodb.ts';
import { launchTemplate, securityGroup, subnet } from './ec2.ts';
import { encryptionKey, eventBus, eventRule, queue, schedule } from './events.ts';
import { iamPolicy, iamRole, instanceProfile } from './iam.ts';
import { inert, inertTypes } from './inert.ts';
import { eventSourceMapping, lambdaFunction, lambdaPermission } from './lambda.ts';
import type { Reader } from './reader.ts';

const readers: Readonly<Record<string, Reader>> = {
  'AWS::ApiGatewayV2::Api': api,
  'AWS::ApiGatewayV2::Integration': integration,
  'AWS::ApiGatewayV2::Route': route,
  'AWS::ApiGatewayV2::Stage': stage,
  'AWS::CloudFront::Distribution': distribution,
  'AWS::CloudFront::Function': edgeFunction,
  'AWS::DynamoDB::Table': dynamoDbTable,
  'AWS::EC2::LaunchTemplate': launchTemplate,
  'AWS::EC2::SecurityGroup': securityGroup,
  'AWS::EC2::Subnet': subnet,
  'AWS::Events::EventBus': eventBus,
  'AWS::Events::Rule': eventRule,
  'AWS::IAM::InstanceProfile': instanceProfile,
  'AWS::IAM::ManagedPolicy': iamPolicy,
  'AWS::IAM::Policy': iamPolicy,
  'AWS::IAM::Role': iamRole,
  'AWS::KMS::Key': encryptionKey,
  'AWS::Lambda::EventSourceMapping': eventSourceMapping,
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::Permission': lambdaPermission,
  'AWS::SQS::Queue': queue,
  'AWS::Scheduler::Schedule': schedule,
};

/** Throws on a type that nobody has thought about. */
export function readerOf(type: string): Reader {
  const reader = readers[type] ?? (type.startsWith('Custom::') ? customResource : undefined);
  if (reader !== undefined) return reader;
  if (type in inertTypes) return inert;
  throw new Error(`the platform does not know the resource type ${type}: give it a reader, or list it as inert`);
}
