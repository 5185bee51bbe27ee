/** RunInstances and launch templates: what an instance is launched with, and why it is not. */
import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  ModifyLaunchTemplateCommand,
  RunInstancesCommand,
  type RunInstancesRequest,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type Ec2Options, type Ec2UnderTest, startEc2 } from './ec2.ts';
import { ec2Client } from './sdk.ts';

const ImageId = 'ami-0123456789abcdef0';
const [zoneA, zoneB] = ['us-east-1a', 'us-east-1b'] as const;

const run = (ec2: Ec2UnderTest, request: Partial<RunInstancesRequest>) =>
  ec2Client(ec2).send(new RunInstancesCommand({ MinCount: 1, MaxCount: 1, ...request }));

const plain = { ImageId, InstanceType: 'm7i.large' } as const;

describe('a launch', () => {
  it('answers what it launched, and describes it alike', async () => {
    await using ec2 = await startEc2();
    const launched = await run(ec2, { ...plain, MinCount: 2, MaxCount: 2, SubnetId: ec2.subnets[zoneB] });
    expect(launched.Instances).toHaveLength(2);
    expect(launched.Instances?.[1]).toMatchObject({
      State: { Code: 0, Name: 'pending' },
      AmiLaunchIndex: 1,
      Architecture: 'x86_64',
      Placement: { AvailabilityZone: zoneB },
      SubnetId: ec2.subnets[zoneB],
      PrivateIpAddress: '10.1.0.5',
    });
    const { Reservations = [] } = await ec2Client(ec2).send(new DescribeInstancesCommand({}));
    expect(Reservations).toHaveLength(1);
    expect(Reservations[0]).toMatchObject({ ReservationId: launched.ReservationId, OwnerId: ec2.account });
    const ids = (list: typeof launched.Instances) => list?.map(({ InstanceId }) => InstanceId);
    expect(ids(Reservations[0]?.Instances)).toEqual(ids(launched.Instances));
  });

  it('is by the template, over which the request wins, tags being joined', async () => {
    await using ec2 = await startEc2();
    const tags = (pairs: Record<string, string>) => [
      { ResourceType: 'instance' as const, Tags: Object.entries(pairs).map(([Key, Value]) => ({ Key, Value })) },
    ];
    const template = ec2.launchTemplate({ ...plain, KeyName: 'key', TagSpecifications: tags({ a: '1', b: '1' }) });
    const LaunchTemplate = { LaunchTemplateId: template.launchTemplateId };
    await run(ec2, { LaunchTemplate, InstanceType: 'c7i.large', TagSpecifications: tags({ b: '2', c: '2' }) });
    const { Reservations = [] } = await ec2Client(ec2).send(new DescribeInstancesCommand({}));
    expect(Reservations[0]?.Instances?.[0]).toMatchObject({ InstanceType: 'c7i.large', KeyName: 'key', ImageId });
    expect(ec2.instances()[0]?.tags).toMatchObject({ a: '1', b: '2', c: '2' });
  });

  it('takes the version of the template that is asked for', async () => {
    await using ec2 = await startEc2();
    const client = ec2Client(ec2);
    const LaunchTemplateName = 'hosts';
    await client.send(new CreateLaunchTemplateCommand({ LaunchTemplateName, LaunchTemplateData: plain }));
    const second = {
      LaunchTemplateName,
      SourceVersion: '1',
      LaunchTemplateData: { InstanceType: 'c7i.large' as const },
    };
    await client.send(new CreateLaunchTemplateVersionCommand(second));
    for (const Version of [undefined, '$Latest', '1', '2']) {
      await run(ec2, { LaunchTemplate: { LaunchTemplateName, Version } });
    }
    await client.send(new ModifyLaunchTemplateCommand({ LaunchTemplateName, DefaultVersion: '2' }));
    await run(ec2, { LaunchTemplate: { LaunchTemplateName, Version: '$Default' } });
    const types = ec2.instances().map(({ instanceType }) => instanceType);
    expect(types).toEqual(['m7i.large', 'c7i.large', 'm7i.large', 'c7i.large', 'c7i.large']);

    const { LaunchTemplates } = await client.send(new DescribeLaunchTemplatesCommand({}));
    expect(LaunchTemplates).toMatchObject([{ LaunchTemplateName, DefaultVersionNumber: 2, LatestVersionNumber: 2 }]);
    const versions = new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateName, Versions: ['$Latest'] });
    const { LaunchTemplateVersions } = await client.send(versions);
    expect(LaunchTemplateVersions).toMatchObject([
      { VersionNumber: 2, DefaultVersion: true, LaunchTemplateData: { ImageId, InstanceType: 'c7i.large' } },
    ]);
    const third = run(ec2, { LaunchTemplate: { LaunchTemplateName, Version: '3' } });
    await expect(third).rejects.toMatchObject({ name: 'InvalidLaunchTemplateId.VersionNotFound' });
  });

  it('is one launch under one token, refuses other parameters, and is not begun again after its end', async () => {
    await using ec2 = await startEc2({ delays: { forgotten: 0 } });
    const request = { ...plain, ClientToken: 'purchase' };
    const first = await run(ec2, request);
    expect((await run(ec2, request)).Instances).toEqual(first.Instances);
    expect(ec2.instances()).toHaveLength(1);
    const other = run(ec2, { ...request, InstanceType: 'c7i.large' });
    await expect(other).rejects.toMatchObject({ name: 'IdempotentParameterMismatch' });
    const InstanceIds = [first.Instances?.[0]?.InstanceId ?? ''];
    await ec2Client(ec2).send(new TerminateInstancesCommand({ InstanceIds }));
    await expect(run(ec2, request)).rejects.toMatchObject({ name: 'IdempotentInstanceTerminated' });
    expect(ec2.instances()).toEqual([]);
  });

  it('under one token is another in another zone, where zones are named', async () => {
    await using ec2 = await startEc2();
    for (const zone of [zoneA, zoneB, zoneA])
      await run(ec2, { ...plain, SubnetId: ec2.subnets[zone], ClientToken: 'purchase' });
    expect(ec2.instances().map(({ zone }) => zone)).toEqual([zoneA, zoneB]);
  });

  it('that was refused is tried anew under the same token', async () => {
    await using ec2 = await startEc2();
    ec2.exhaust('m7i.large', zoneA);
    const request = { ...plain, ClientToken: 'purchase', Placement: { AvailabilityZone: zoneA } };
    await expect(run(ec2, request)).rejects.toMatchObject({ name: 'InsufficientInstanceCapacity' });
    const other = run(ec2, { ...request, InstanceType: 'c7i.large' });
    await expect(other).rejects.toMatchObject({ name: 'IdempotentParameterMismatch' });
    ec2.refill('m7i.large', zoneA);
    expect((await run(ec2, request)).Instances).toHaveLength(1);
  });

  it('has as many as there are between MinCount and MaxCount', async () => {
    await using ec2 = await startEc2({ vcpuLimit: { onDemand: 12 } });
    ec2.exhaust('m7i.large', zoneA, 2);
    const inA = { ...plain, Placement: { AvailabilityZone: zoneA } };
    expect((await run(ec2, { ...inA, MaxCount: 5 })).Instances).toHaveLength(2);
    await expect(run(ec2, inA)).rejects.toMatchObject({
      name: 'InsufficientInstanceCapacity',
      $metadata: { httpStatusCode: 500 },
      message: expect.stringContaining('choosing us-east-1b, us-east-1c'),
    });
    const anywhere = await run(ec2, { ...plain, MinCount: 3, MaxCount: 9 });
    expect(anywhere.Instances?.map(({ Placement }) => Placement?.AvailabilityZone)).toEqual(Array(4).fill(zoneB));
    await expect(run(ec2, plain)).rejects.toMatchObject({ name: 'VcpuLimitExceeded' });
  });

  it('needs an address for each instance', async () => {
    await using ec2 = await startEc2();
    const inA = { ...plain, SubnetId: ec2.subnets[zoneA] };
    const many = run(ec2, { ...inA, MinCount: 65_532, MaxCount: 65_532 });
    await expect(many).rejects.toMatchObject({ name: 'InsufficientFreeAddressesInSubnet' });
  });

  it('is spot where that is asked for, within its limit and price', async () => {
    await using ec2 = await startEc2({ vcpuLimit: { spot: 2 } });
    const spot = { ...plain, InstanceMarketOptions: { MarketType: 'spot' as const } };
    await run(ec2, spot);
    expect(ec2.instances()).toMatchObject([{ lifecycle: 'spot' }]);
    await expect(run(ec2, spot)).rejects.toMatchObject({ name: 'MaxSpotInstanceCountExceeded' });
    const cheap = { MarketType: 'spot' as const, SpotOptions: { MaxPrice: '0.01' } };
    const refused = run(ec2, { ...plain, Placement: { AvailabilityZone: zoneA }, InstanceMarketOptions: cheap });
    await expect(refused).rejects.toMatchObject({ name: 'SpotMaxPriceTooLow' });
  });

  it.each<[string, Partial<RunInstancesRequest>, Ec2Options?]>([
    ['InvalidParameterValue', { ...plain, InstanceType: 'm1.small' }],
    ['MissingParameter', { ImageId }],
    ['InvalidAMIID.Malformed', { ...plain, ImageId: 'my-image' }],
    ['InvalidAMIID.NotFound', plain, { images: {} }],
    ['InvalidParameterValue', plain, { images: { [ImageId]: 'arm64' } }],
    ['InvalidSubnetID.NotFound', { ...plain, SubnetId: 'subnet-0123456789abcdef0' }],
    ['InvalidParameterValue', { ...plain, Placement: { AvailabilityZone: 'eu-west-1a' } }],
    ['InvalidUserData.Malformed', { ...plain, UserData: '#!/bin/sh' }],
    ['InvalidParameterValue', { ...plain, UserData: Buffer.alloc(16_385).toString('base64') }],
    ['InvalidParameterValue', { ...plain, MinCount: 2, MaxCount: 1 }],
    ['InvalidParameterValue', { ...plain, ClientToken: 'x'.repeat(65) }],
    [
      'InvalidParameterCombination',
      { ...plain, SubnetId: 'subnet-00000000000000000', NetworkInterfaces: [{ DeviceIndex: 0 }] },
    ],
    ['InvalidLaunchTemplateId.NotFound', { LaunchTemplate: { LaunchTemplateId: 'lt-0123456789abcdef0' } }],
    ['InvalidLaunchTemplateName.NotFoundException', { LaunchTemplate: { LaunchTemplateName: 'none' } }],
    ['UnsupportedOperation', { ...plain, HibernationOptions: { Configured: true } }],
  ])('is refused: %s for %o', async (code, request, options) => {
    await using ec2 = await startEc2(options);
    await expect(run(ec2, request)).rejects.toMatchObject({ name: code, $metadata: { httpStatusCode: 400 } });
    expect(ec2.instances()).toEqual([]);
  });

  it('is not to be had in a zone that does not sell the type', async () => {
    const type = { name: 'm7i.large', vcpus: 2, memoryMib: 8192, architecture: 'x86_64' as const, onDemandUsd: 0.1 };
    await using ec2 = await startEc2({ types: [{ ...type, zones: [zoneB] }] });
    const refused = run(ec2, { ...plain, Placement: { AvailabilityZone: zoneA } });
    await expect(refused).rejects.toMatchObject({ name: 'Unsupported', message: expect.stringContaining(zoneB) });
    await run(ec2, plain);
    expect(ec2.instances()).toMatchObject([{ zone: zoneB }]);
  });
});
