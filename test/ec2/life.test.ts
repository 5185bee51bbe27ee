/** What becomes of an instance: states with delays, visibility, its end, spot interruption, events, and what runs for it. */
import {
  DescribeInstancesCommand,
  type EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type Ec2UnderTest, startEc2 } from './ec2.ts';
import type { Ec2Event } from './events.ts';
import type { StartedInstance } from './machines.ts';
import { ec2Client } from './sdk.ts';

const delays = { visible: 5_000, running: 30_000, shuttingDown: 20_000, forgotten: 600_000 };
const start = Date.parse('2026-11-30T12:00:00Z');

function clock() {
  let time = start;
  const pass = (seconds: number): void => {
    time += seconds * 1000;
  };
  return { now: () => time, pass };
}

async function launch(client: EC2Client, isSpot = false): Promise<string> {
  const { Instances = [] } = await client.send(
    new RunInstancesCommand({
      ImageId: 'ami-0123456789abcdef0',
      InstanceType: 'm7i.large',
      MinCount: 1,
      MaxCount: 1,
      UserData: Buffer.from('#!/bin/sh\n').toString('base64'),
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: '<&>' }] }],
      ...(isSpot && { InstanceMarketOptions: { MarketType: 'spot' } }),
    }),
  );
  return Instances[0]?.InstanceId ?? '';
}

const terminate = (client: EC2Client, id: string) => client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));

async function seen(client: EC2Client, id?: string): Promise<(string | undefined)[]> {
  const { Reservations = [] } = await client.send(
    new DescribeInstancesCommand(id === undefined ? {} : { InstanceIds: [id] }),
  );
  return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ State }) => State?.Name));
}

describe('an instance', () => {
  it('is hidden, then pending, running, shutting down, terminated and forgotten', async () => {
    const { now, pass } = clock();
    await using ec2 = await startEc2({ delays, now });
    const client = ec2Client(ec2);
    const id = await launch(client);
    expect(await seen(client)).toEqual([]);
    await expect(seen(client, id)).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
    await expect(terminate(client, id)).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
    expect(ec2.instances()).toMatchObject([{ instanceId: id, state: 'pending', visible: false }]);
    pass(5);
    expect(await seen(client, id)).toEqual(['pending']);
    pass(25);
    expect(await seen(client)).toEqual(['running']);
    const { TerminatingInstances } = await terminate(client, id);
    expect(TerminatingInstances).toMatchObject([
      { PreviousState: { Name: 'running' }, CurrentState: { Code: 32, Name: 'shutting-down' } },
    ]);
    pass(20);
    expect(await seen(client)).toEqual(['terminated']);
    expect((await terminate(client, id)).TerminatingInstances).toMatchObject([
      { CurrentState: { Name: 'terminated' } },
    ]);
    pass(600);
    expect(await seen(client)).toEqual([]);
    await expect(terminate(client, id)).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
    expect(ec2.instances()).toEqual([]);
  });

  it('is ended with others or not at all', async () => {
    await using ec2 = await startEc2();
    const client = ec2Client(ec2);
    const id = await launch(client);
    const both = new TerminateInstancesCommand({ InstanceIds: [id, 'i-0123456789abcdef0'] });
    await expect(client.send(both)).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
    expect(await seen(client, id)).toEqual(['running']);
  });

  it('shows its tags as they are', async () => {
    await using ec2 = await startEc2();
    const client = ec2Client(ec2);
    await launch(client);
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({}));
    expect(Reservations[0]?.Instances?.[0]?.Tags).toEqual([{ Key: 'a', Value: '<&>' }]);
  });

  it('goes on by itself with the real clock', async () => {
    await using ec2 = await startEc2();
    const states: string[] = [];
    const { promise: terminated, resolve } = Promise.withResolvers<void>();
    ec2.onEvent(({ detail: { state = '' } }) => {
      states.push(state);
      if (state === 'terminated') resolve();
    });
    const client = ec2Client(ec2);
    await terminate(client, await launch(client));
    await terminated;
    expect(states).toEqual(['pending', 'running', 'shutting-down', 'terminated']);
  });
});

describe('a spot instance', () => {
  it('is taken back two minutes after its notice', async () => {
    const { now, pass } = clock();
    await using ec2 = await startEc2({ now });
    const client = ec2Client(ec2);
    const id = await launch(client, true);
    expect(await seen(client, id)).toEqual(['running']);
    ec2.interrupt(id);
    pass(119);
    expect(await seen(client, id)).toEqual(['running']);
    pass(1);
    expect(await seen(client, id)).toEqual(['terminated']);
    expect(ec2.instances()[0]?.stateReason).toContain('Spot instance termination');
    expect(() => ec2.interrupt(id)).toThrow(/terminated already/);
  });

  it('is what alone is taken back', async () => {
    await using ec2 = await startEc2();
    const id = await launch(ec2Client(ec2));
    expect(() => ec2.interrupt(id)).toThrow(/no spot instance/);
    expect(() => ec2.interrupt('i-0123456789abcdef0')).toThrow(/no instance i-0123456789abcdef0/);
  });
});

describe('events', () => {
  it('come as EventBridge has them, with the time at which it happened', async () => {
    const { now, pass } = clock();
    await using ec2 = await startEc2({ now, delays: { running: 30_000, shuttingDown: 20_000 } });
    const events: Ec2Event[] = [];
    ec2.onEvent((event) => void events.push(event));
    const id = await launch(ec2Client(ec2), true);
    pass(60);
    ec2.rebalance(id);
    ec2.interrupt(id);
    pass(3600);
    await ec2.settle();
    const common = { version: '0', source: 'aws.ec2', account: ec2.account, region: ec2.region };
    const resources = [`arn:aws:ec2:us-east-1:${ec2.account}:instance/${id}`];
    const change = (state: string, time: string) => ({
      ...common,
      'detail-type': 'EC2 Instance State-change Notification',
      time,
      resources,
      detail: { 'instance-id': id, state },
    });
    expect(events).toEqual(
      [
        change('pending', '2026-11-30T12:00:00Z'),
        change('running', '2026-11-30T12:00:30Z'),
        {
          ...common,
          'detail-type': 'EC2 Instance Rebalance Recommendation',
          time: '2026-11-30T12:01:00Z',
          resources,
          detail: { 'instance-id': id },
        },
        {
          ...common,
          'detail-type': 'EC2 Spot Instance Interruption Warning',
          time: '2026-11-30T12:01:00Z',
          resources: [`arn:aws:ec2:us-east-1a:instance/${id}`],
          detail: { 'instance-id': id, 'instance-action': 'terminate' },
        },
        change('shutting-down', '2026-11-30T12:03:00Z'),
        change('terminated', '2026-11-30T12:03:20Z'),
      ].map((event) => ({ ...event, id: expect.any(String) })),
    );
  });

  it('are heard before settle is done, whose failures it tells', async () => {
    await using ec2 = await startEc2();
    const stop = ec2.onEvent(() => Promise.reject(new Error('deaf')));
    const id = await launch(ec2Client(ec2));
    await expect(ec2.settle()).rejects.toThrow('deaf');
    stop();
    await terminate(ec2Client(ec2), id);
    await ec2.settle();
  });
});

describe('what runs for an instance', () => {
  async function withMachines(fails: boolean, use: (ec2: Ec2UnderTest, log: unknown[]) => Promise<void>) {
    const log: unknown[] = [];
    const { now, pass } = clock();
    const startInstance = async (instance: StartedInstance) => {
      log.push(instance);
      if (fails) throw new Error('no room');
      return {
        async [Symbol.asyncDispose]() {
          log.push(`${instance.instanceId} ended`);
        },
      };
    };
    {
      await using ec2 = await startEc2({ delays: { running: 30_000 }, now, startInstance });
      await launch(ec2Client(ec2));
      await ec2.settle();
      expect(log).toEqual([]);
      pass(30);
      await use(ec2, log);
    }
    return log;
  }

  it('is begun with what a machine boots with, and ended with the instance', async () => {
    await withMachines(false, async (ec2, log) => {
      await ec2.settle();
      const [instance] = ec2.instances();
      const id = instance?.instanceId ?? '';
      expect(log).toEqual([
        {
          instanceId: id,
          instanceType: 'm7i.large',
          zone: 'us-east-1a',
          subnetId: ec2.subnets['us-east-1a'],
          architecture: 'x86_64',
          lifecycle: 'on-demand',
          imageId: 'ami-0123456789abcdef0',
          userData: '#!/bin/sh\n',
          tags: { a: '<&>' },
          privateIp: '10.0.0.4',
          launchTemplateData: expect.objectContaining({ InstanceType: 'm7i.large' }),
        },
      ]);
      await terminate(ec2Client(ec2), id);
      await ec2.settle();
      expect(log.at(-1)).toBe(`${id} ended`);
    });
  });

  it('is ended with the endpoint at the latest', async () => {
    const log = await withMachines(false, (ec2) => ec2.settle());
    expect(log.at(-1)).toMatch(/ ended$/);
  });

  it('ends its instance when it cannot begin, and says why', async () => {
    await withMachines(true, async (ec2) => {
      await expect(ec2.settle()).rejects.toThrow('no room');
      await ec2.settle();
      expect(ec2.instances()).toMatchObject([{ state: 'terminated', stateReason: 'Server.InternalError: no room' }]);
    });
  });
});
