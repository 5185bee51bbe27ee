/** What is for sale: types, where they are offered, spot prices, subnets. */
import {
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeSpotPriceHistoryCommand,
  DescribeSubnetsCommand,
  paginateDescribeInstanceTypes,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { startEc2 } from './ec2.ts';
import { ec2Client } from './sdk.ts';

const gpuType = {
  name: 'g6.xlarge',
  vcpus: 4,
  memoryMib: 16_384,
  architecture: 'x86_64' as const,
  onDemandUsd: 0.8,
  spotUsd: { 'us-east-1b': 0.3 },
  zones: ['us-east-1a', 'us-east-1b'],
  networkInterfaces: 4,
  ipv4PerInterface: 15,
  gpus: [{ name: 'L4', count: 1, memoryMib: 23_028 }],
};

describe('the catalog', () => {
  it('describes types with their sizes', async () => {
    await using ec2 = await startEc2({ types: [gpuType] });
    const { InstanceTypes } = await ec2Client(ec2).send(new DescribeInstanceTypesCommand({}));
    expect(InstanceTypes).toMatchObject([
      {
        InstanceType: 'g6.xlarge',
        CurrentGeneration: true,
        SupportedUsageClasses: ['on-demand', 'spot'],
        ProcessorInfo: { SupportedArchitectures: ['x86_64'] },
        VCpuInfo: { DefaultVCpus: 4, DefaultCores: 2, DefaultThreadsPerCore: 2 },
        MemoryInfo: { SizeInMiB: 16_384 },
        GpuInfo: { Gpus: [{ Name: 'L4', Count: 1, MemoryInfo: { SizeInMiB: 23_028 } }] },
        NetworkInfo: { MaximumNetworkInterfaces: 4, Ipv4AddressesPerInterface: 15 },
      },
    ]);
  });

  it('filters and pages types, and names those that there are not', async () => {
    await using ec2 = await startEc2({ pageSize: 2 });
    const client = ec2Client(ec2);
    const names: (string | undefined)[] = [];
    const Filters = [{ Name: 'processor-info.supported-architecture', Values: ['arm64'] }];
    for await (const { InstanceTypes = [] } of paginateDescribeInstanceTypes({ client }, { Filters })) {
      names.push(...InstanceTypes.map(({ InstanceType }) => InstanceType));
    }
    expect(names).toEqual(['c7g.large', 'm7g.large', 'm7g.xlarge']);
    const unknown = client.send(new DescribeInstanceTypesCommand({ InstanceTypes: ['m7i.large', 'm1.small'] }));
    await expect(unknown).rejects.toMatchObject({
      name: 'InvalidInstanceType',
      message: expect.stringMatching(/\[m1.small\]/),
    });
  });

  it('says where a type is offered', async () => {
    await using ec2 = await startEc2({ types: [gpuType] });
    const places = async (LocationType?: 'region' | 'availability-zone' | 'availability-zone-id') => {
      const command = new DescribeInstanceTypeOfferingsCommand({ LocationType });
      const { InstanceTypeOfferings = [] } = await ec2Client(ec2).send(command);
      return InstanceTypeOfferings.map(({ InstanceType, Location }) => `${InstanceType} ${Location}`);
    };
    expect(await places()).toEqual(['g6.xlarge us-east-1']);
    expect(await places('availability-zone')).toEqual(['g6.xlarge us-east-1a', 'g6.xlarge us-east-1b']);
    expect(await places('availability-zone-id')).toEqual(['g6.xlarge use1-az1', 'g6.xlarge use1-az2']);
  });

  it('has a spot price for each zone that sells it', async () => {
    await using ec2 = await startEc2({ types: [gpuType] });
    const prices = async (ProductDescriptions: string[]) => {
      const command = new DescribeSpotPriceHistoryCommand({ StartTime: new Date(), ProductDescriptions });
      const { SpotPriceHistory } = await ec2Client(ec2).send(command);
      return SpotPriceHistory;
    };
    expect(await prices(['Linux/UNIX'])).toMatchObject([
      { InstanceType: 'g6.xlarge', AvailabilityZone: 'us-east-1b', SpotPrice: '0.300000', Timestamp: expect.any(Date) },
    ]);
    expect(await prices(['Windows'])).toEqual([]);
  });

  it('has a subnet in each zone, with addresses that are used up by instances', async () => {
    const cidrs = ['172.31.0.0/20', '172.31.16.0/20', '172.31.32.0/20'];
    await using ec2 = await startEc2({ region: 'eu-central-1', cidrs });
    const client = ec2Client(ec2);
    const SubnetId = ec2.subnets['eu-central-1b'];
    const free = async () => {
      const Filters = [{ Name: 'availability-zone', Values: ['eu-central-1b'] }];
      const { Subnets = [] } = await client.send(new DescribeSubnetsCommand({ Filters }));
      expect(Subnets).toMatchObject([
        {
          SubnetId,
          AvailabilityZone: 'eu-central-1b',
          AvailabilityZoneId: 'euc1-az2',
          CidrBlock: '172.31.16.0/20',
        },
      ]);
      return Subnets[0]?.AvailableIpAddressCount ?? 0;
    };
    expect(await free()).toBe(4096 - 5);
    const request = { ImageId: 'ami-0123456789abcdef0', InstanceType: 'm7i.large', MinCount: 2, MaxCount: 2 } as const;
    await client.send(new RunInstancesCommand({ ...request, SubnetId }));
    expect(await free()).toBe(4096 - 7);
    expect(ec2.instances().map(({ privateIp }) => privateIp)).toEqual(['172.31.16.4', '172.31.16.5']);
  });

  it('does not take types that are sold where there is no zone, nor orders of what it does not have', async () => {
    await expect(startEc2({ types: [{ ...gpuType, zones: ['eu-west-1a'] }] })).rejects.toThrow(/g6.xlarge.*eu-west-1a/);
    await expect(startEc2({ cidrs: ['10.0.0.0/16'] })).rejects.toThrow(/cidrs: 1 for 3 zones/);
    await using ec2 = await startEc2();
    expect(() => ec2.exhaust('g6.xlarge', 'us-east-1a')).toThrow(/no g6.xlarge/);
    expect(() => ec2.refill('m7i.large', 'us-east-1z')).toThrow(/no us-east-1z/);
  });
});
