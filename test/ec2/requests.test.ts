/** What every request meets: AWS' model, a signature, paging, filters, dry runs, and what a test wants to go wrong. */
import {
  CreateFleetCommand,
  CreateTagsCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  type EC2Client,
  paginateDescribeInstances,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type Ec2UnderTest, startEc2 } from './ec2.ts';
import { ec2Client } from './sdk.ts';

const one = { ImageId: 'ami-0123456789abcdef0', InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1 } as const;

const signed = 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=00';

async function raw({ url }: Ec2UnderTest, parameters: Record<string, string>, authorization = signed) {
  const body = new URLSearchParams({ Version: '2016-11-15', ...parameters });
  const response = await fetch(url, { method: 'POST', body, headers: { authorization } });
  const answer = await response.text();
  return {
    status: response.status,
    code: /<Code>(.*?)<\/Code>/.exec(answer)?.[1],
    message: /<Message>(.*?)<\/Message>/.exec(answer)?.[1],
  };
}

const run = (client: EC2Client, count: number) =>
  client.send(new RunInstancesCommand({ ...one, MinCount: count, MaxCount: count }));

describe('a request', () => {
  it.each([
    [{ Action: 'RunInstances', MinCount: '1' }, 'MissingParameter', 'MaxCount'],
    [{ Action: 'RunInstances', MinCount: '1', MaxCount: '1', Flavour: 'x' }, 'UnknownParameter', 'Flavour'],
    [
      { Action: 'RunInstances', MinCount: '1', MaxCount: '1', 'Placement.Zone': 'x' },
      'UnknownParameter',
      'Placement.Zone',
    ],
    [{ Action: 'RunInstances', MinCount: 'one', MaxCount: '1' }, 'InvalidParameterValue', 'MinCount'],
    [{ Action: 'RunInstances', MinCount: '0', MaxCount: '1' }, 'InvalidParameterValue', 'MinCount'],
    [{ Action: 'RunInstances', MinCount: '1', MaxCount: '1' }, 'MissingParameter', 'ImageId'],
    [{ Action: 'RunInstances', MinCount: '1', MaxCount: '1', DryRun: 'perhaps' }, 'InvalidParameterValue', 'DryRun'],
    [{ Action: 'DescribeInstances', 'Filter.a.Name': 'x' }, 'UnknownParameter', 'Filter.a.Name'],
    [{ Action: 'DescribeInstances', 'Filter.1': 'x' }, 'UnknownParameter', 'Filter.1'],
    [
      { Action: 'DescribeInstances', 'Filter.1.Name': 'colour', 'Filter.1.Value.1': 'x' },
      'InvalidParameterValue',
      'colour',
    ],
    [{ Action: 'DescribeInstances', MaxResults: '4' }, 'InvalidParameterValue', 'MaxResults'],
    [{ Action: 'DescribeInstances', NextToken: 'abc' }, 'InvalidNextToken', 'abc'],
    [{ Action: 'DescribeInstances', 'InstanceId.1': 'i-1' }, 'InvalidInstanceID.Malformed', 'i-1'],
    [{ Action: 'TerminateInstances' }, 'MissingParameter', 'InstanceId'],
    [{ Action: 'CreateFleet', Type: 'sudden' }, 'MissingParameter', 'LaunchTemplateConfigs'],
    [
      { Action: 'CreateFleet', 'LaunchTemplateConfigs.1.Overrides.1.Priority': '1' },
      'MissingParameter',
      'TargetCapacitySpecification',
    ],
    [
      {
        Action: 'CreateFleet',
        Type: 'sudden',
        'LaunchTemplateConfigs.1.Overrides.1.Priority': '1',
        'TargetCapacitySpecification.TotalTargetCapacity': '1',
      },
      'InvalidParameterValue',
      'sudden',
    ],
    [{ Action: 'DescribeSubnets', StartTime: '2026-01-01' }, 'UnknownParameter', 'StartTime'],
    [{ Action: 'DescribeSpotPriceHistory', StartTime: 'today' }, 'InvalidParameterValue', 'StartTime'],
    [{ Action: 'Sing' }, 'InvalidAction', 'Sing'],
    [{ Action: 'DescribeSubnets', Version: '2013-01-01' }, 'InvalidAction', '2013-01-01'],
  ])('%o is refused: %s, %s', async (parameters, code, named) => {
    await using ec2 = await startEc2();
    expect(await raw(ec2, parameters)).toEqual({ status: 400, code, message: expect.stringContaining(named) });
    expect(ec2.instances()).toEqual([]);
  });

  it('needs a signature for this service', async () => {
    await using ec2 = await startEc2();
    const refused = { status: 401, code: 'AuthFailure' };
    expect(await raw(ec2, { Action: 'DescribeSubnets' }, '')).toMatchObject(refused);
    expect(await raw(ec2, { Action: 'DescribeSubnets' }, signed.replace('/ec2/', '/ecs/'))).toMatchObject(refused);
    expect((await raw(ec2, { Action: 'DescribeSubnets' })).status).toBe(200);
  });

  it('is kept, as it was sent', async () => {
    await using ec2 = await startEc2();
    await ec2Client(ec2).send(new DescribeInstanceTypesCommand({ InstanceTypes: ['m7i.large'] }));
    expect(ec2.requests).toEqual([{ action: 'DescribeInstanceTypes', params: { 'InstanceType.1': 'm7i.large' } }]);
  });

  it('does nothing when it is a dry run', async () => {
    await using ec2 = await startEc2();
    const dry = ec2Client(ec2).send(new RunInstancesCommand({ ...one, DryRun: true }));
    await expect(dry).rejects.toMatchObject({ name: 'DryRunOperation', $metadata: { httpStatusCode: 412 } });
    expect(ec2.instances()).toEqual([]);
  });

  it('is answered in pages that neither lose nor repeat anything while instances come', async () => {
    await using ec2 = await startEc2({ pageSize: 3 });
    const client = ec2Client(ec2);
    await run(client, 4);
    await run(client, 4);
    const before = ec2.instances().map(({ instanceId }) => instanceId);
    const shown: (string | undefined)[] = [];
    for await (const { Reservations = [] } of paginateDescribeInstances({ client }, {})) {
      if (shown.length === 0) await run(client, 1);
      shown.push(...Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId }) => InstanceId)));
    }
    expect(shown.slice(0, 8)).toEqual(before);
    expect(shown).toHaveLength(9);
    const firstPage = await client.send(new DescribeInstancesCommand({}));
    const other = client.send(new DescribeInstanceTypesCommand({ NextToken: firstPage.NextToken }));
    await expect(other).rejects.toMatchObject({ name: 'InvalidNextToken' });
  });

  it('filters: values are alternatives, filters all hold, with wildcards', async () => {
    await using ec2 = await startEc2();
    const client = ec2Client(ec2);
    const tagged = (Value: string) => [{ ResourceType: 'instance' as const, Tags: [{ Key: 'cluster', Value }] }];
    for (const name of ['blue', 'green', 'b.ue']) {
      await client.send(new RunInstancesCommand({ ...one, TagSpecifications: tagged(name), ClientToken: name }));
    }
    const found = async (...filters: [string, ...string[]][]) => {
      const Filters = filters.map(([Name, ...Values]) => ({ Name, Values }));
      const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ Filters }));
      return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ ClientToken }) => ClientToken));
    };
    expect(await found(['tag:cluster', 'blue', 'green'])).toEqual(['blue', 'green']);
    expect(await found(['tag:cluster', 'b.ue'])).toEqual(['b.ue']);
    expect(await found(['tag:cluster', 'b?ue'], ['client-token', 'blue'])).toEqual(['blue']);
    expect(await found(['tag:cluster', '*e*'], ['instance-type', 'm7i.*'])).toEqual(['blue', 'green', 'b.ue']);
    expect(await found(['tag:other', '*'])).toEqual([]);
    expect(await found(['tag-key', 'cluster'], ['instance-state-name', 'terminated'])).toEqual([]);
  });

  it('tags what is there, within limits', async () => {
    await using ec2 = await startEc2();
    const client = ec2Client(ec2);
    const { Instances = [] } = await run(client, 1);
    const Resources = [Instances[0]?.InstanceId ?? ''];
    await client.send(new CreateTagsCommand({ Resources, Tags: [{ Key: 'a', Value: '1' }] }));
    expect(ec2.instances()[0]?.tags).toEqual({ a: '1' });
    const tagging = (Tags: { Key: string }[]) => client.send(new CreateTagsCommand({ Resources, Tags }));
    await expect(tagging([{ Key: 'aws:a' }])).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}` }));
    await expect(tagging(many)).rejects.toMatchObject({ name: 'TagLimitExceeded' });
  });
});

describe('what a test wants to go wrong', () => {
  it('throttles once, which the SDK tries again', async () => {
    await using ec2 = await startEc2();
    ec2.failNext({ action: 'RunInstances', kind: 'throttle' });
    await expect(run(ec2Client(ec2), 1)).rejects.toMatchObject({
      name: 'RequestLimitExceeded',
      $metadata: { httpStatusCode: 503 },
    });
    expect(ec2.instances()).toEqual([]);
    await run(ec2Client(ec2), 1);
    expect(ec2.instances()).toHaveLength(1);
  });

  it('loses an answer: what the SDK tries again by itself is the same request', async () => {
    await using ec2 = await startEc2();
    ec2.failNext({ action: 'RunInstances', kind: 'lose-answer' });
    const { Instances = [] } = await run(ec2Client(ec2, 2), 1);
    expect(ec2.requests.map(({ action }) => action)).toEqual(['RunInstances', 'RunInstances']);
    expect(ec2.instances().map(({ instanceId }) => instanceId)).toEqual(Instances.map(({ InstanceId }) => InstanceId));
  });

  it('refuses connections, as often as is said, and only those', async () => {
    await using ec2 = await startEc2();
    ec2.failNext({ action: '*', kind: 'refuse-connection', times: 2 });
    const client = ec2Client(ec2);
    await expect(run(client, 1)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(client.send(new TerminateInstancesCommand({ InstanceIds: [] }))).rejects.toThrow();
    await run(client, 1);
    expect(ec2.instances()).toHaveLength(1);
  });

  it('answers the error that is wanted', async () => {
    await using ec2 = await startEc2();
    ec2.failNext({ action: 'CreateFleet', kind: 'error', code: 'UnauthorizedOperation' });
    ec2.failNext({ action: 'RunInstances', kind: 'error' });
    const fleet = new CreateFleetCommand({
      LaunchTemplateConfigs: [],
      TargetCapacitySpecification: { TotalTargetCapacity: 1 },
    });
    const client = ec2Client(ec2);
    await expect(run(client, 1)).rejects.toMatchObject({ name: 'InternalError', $metadata: { httpStatusCode: 500 } });
    await expect(client.send(fleet)).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
  });
});
