/** EC2 within the account asks IAM for everything that a launch makes and uses: one right less, and nothing is launched. */
import {
  CreateFleetCommand,
  CreateLaunchTemplateCommand,
  type EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ec2Client } from '../ec2/sdk.ts';
import { Identities } from './iam/identities.ts';
import type { Statement } from './iam/policy.ts';
import { type Ec2Place, startEc2Place } from './services/ec2-place.ts';

const identities = new Identities();
let place: Ec2Place;
let caller: EC2Client;
let statements: readonly Statement[];
let templateId: string;

const allow: Statement = { Effect: 'Allow', Action: ['*'], Resource: ['*'], Condition: {} };
const deny = (action: string, resource: string): Statement => ({
  Effect: 'Deny',
  Action: [action],
  Resource: [resource],
  Condition: {},
});

beforeAll(async () => {
  place = await startEc2Place(identities, { region: 'us-east-1', account: '123456789012' });
  const { accessKeyId, secretAccessKey } = identities.add('arn:aws:iam::123456789012:role/fleet', () => statements);
  const anybody = ec2Client({ url: place.endpoints.AWS_ENDPOINT_URL_EC2, region: 'us-east-1' });
  anybody.config.credentials = async () => ({ accessKeyId, secretAccessKey });
  caller = anybody;
  const ImageId = 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023';
  const { LaunchTemplate } = await place.client.send(
    new CreateLaunchTemplateCommand({ LaunchTemplateName: 'hosts', LaunchTemplateData: { ImageId } }),
  );
  templateId = LaunchTemplate?.LaunchTemplateId ?? '';
  place.templates.set(templateId, {
    tags: { 'gantry:cluster': 'blue' },
    imageId: ImageId,
    roleArn: 'arn:aws:iam::123456789012:role/gantry/hosts/blue',
  });
});

beforeEach(() => {
  statements = [allow];
});

afterAll(async () => {
  caller.destroy();
  await place[Symbol.asyncDispose]();
});

const tags = [{ ResourceType: 'instance' as const, Tags: [{ Key: 'gantry:order', Value: 'o-1' }] }];

const run = () =>
  caller.send(
    new RunInstancesCommand({
      LaunchTemplate: { LaunchTemplateId: templateId, Version: '1' },
      InstanceType: 'c7i.large',
      SubnetId: place.ec2.subnets['us-east-1a'],
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: tags,
    }),
  );

const createFleet = () =>
  caller.send(
    new CreateFleetCommand({
      Type: 'instant',
      TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'spot' },
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: { LaunchTemplateId: templateId, Version: '1' },
          Overrides: [{ InstanceType: 'c7i.large', SubnetId: place.ec2.subnets['us-east-1a'] }],
        },
      ],
      TagSpecifications: tags,
    }),
  );

describe('EC2 under IAM', () => {
  it('launches where everything is allowed', async () => {
    const { Instances = [] } = await run();
    expect(Instances).toHaveLength(1);
    expect((await createFleet()).Instances).toMatchObject([{ Lifecycle: 'spot' }]);
  });

  it.each([
    ['ec2:RunInstances', '*:launch-template/*'],
    ['ec2:RunInstances', '*:image/*'],
    ['ec2:RunInstances', '*:subnet/*'],
    ['ec2:RunInstances', '*:volume/*'],
    ['ec2:CreateTags', '*:instance/*'],
    ['iam:PassRole', '*:role/gantry/hosts/blue'],
    ['ssm:GetParameters', '*:parameter/aws/service/*'],
  ])('launches nothing without %s on %s', async (action, resource) => {
    statements = [allow, deny(action, resource)];
    const before = place.ec2.instances().length;
    for (const launch of [run, createFleet])
      await expect(launch()).rejects.toMatchObject({
        name: 'UnauthorizedOperation',
        message: expect.stringContaining(action),
      });
    expect(place.ec2.instances()).toHaveLength(before);
  });

  it.each([
    ['ec2:RunInstances', '*:spot-instances-request/*'],
    ['ec2:CreateFleet', '*:fleet/*'],
  ])('makes no fleet without %s on %s', async (action, resource) => {
    statements = [allow, deny(action, resource)];
    await expect(createFleet()).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
    await expect(run()).resolves.toMatchObject({ Instances: [{}] });
  });
});
