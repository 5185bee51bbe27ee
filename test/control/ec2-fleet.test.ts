/** Ec2Fleet passes what every fleet passes, against the endpoint of test/ec2, and keeps its promises where EC2 fails it. */
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Ec2Options } from '../ec2/ec2.ts';
import { startLoopback } from '../ec2/loopback.ts';
import { describeFleet, type FleetUnderTest } from './fleet-conformance.ts';
import { choice, one, openEc2, slowly } from './support/ec2-fleet.ts';

const alike = ['m7i.large', 'm7g.large', 'r7i.large'].map((name) => ({
  name,
  vcpus: 2,
  memoryMib: 8192,
  architecture: name.startsWith('m7g') ? ('arm64' as const) : ('x86_64' as const),
  onDemandUsd: 0.1,
}));

const underTest = async (options: Ec2Options, limits: { readonly most?: number } = {}): Promise<FleetUnderTest> => {
  const at = await openEc2({ ...slowly, ...options });
  return {
    fleet: at.fleet,
    clusters: ['default', 'other'],
    ...limits,
    another: async () => at.another(),
    until: (holds) => at.later(holds),
    exhaust: async (offer, zone) => at.ec2.exhaust(offer, zone),
    [Symbol.asyncDispose]: () => at[Symbol.asyncDispose](),
  };
};

describeFleet('EC2', () => underTest({}));
describeFleet('EC2 that answers no more than once', () => underTest({ terseRepeats: true }));
describeFleet('EC2 with a quota', () => underTest({ types: alike, vcpuLimit: 10 }, { most: 5 }));
// RunInstances for all, which does not say what limits it.
describeFleet('EC2 with one type in one zone', () => underTest({ types: alike.slice(0, 1), zones: ['us-east-1a'] }));

const both = [
  ['RunInstances', one],
  ['CreateFleet', choice],
] as const;

describe('a launch on EC2', () => {
  it.each(both)('is asked for by %s, and tagged as what it is', async (action, order) => {
    await using at = await openEc2();
    const { instances } = await at.fleet.launch(order({ count: 2 }));
    expect(at.ec2.requests.map((request) => request.action)).toContain(action);
    expect(instances).toEqual(
      at.ec2.instances().map(({ instanceId }) => ({ instanceId, offer: 'm7g.large', zone: 'us-east-1a' })),
    );
    for (const { tags, lifecycle } of at.ec2.instances()) {
      expect(lifecycle).toBe('on-demand');
      expect(tags).toMatchObject({
        Name: 'gantry-default',
        'gantry:order': 'purchase-1',
        'gantry:cluster': 'default',
        'gantry:capacity-provider': 'provider',
        'gantry:control-plane': 'one',
      });
    }
  });

  it.each(both)('may be one of spot (%s)', async (_, order) => {
    await using at = await openEc2();
    const { instances, faults } = await at.fleet.launch(order({ market: 'spot' }));
    expect([instances.length, faults]).toEqual([1, []]);
    expect(at.ec2.instances()).toMatchObject([{ lifecycle: 'spot' }]);
  });

  it.each(both)('whose answer is lost is asked for again, and launches nothing more (%s)', async (action, order) => {
    await using at = await openEc2();
    at.ec2.failNext({ action, kind: 'lose-answer', times: 2 });
    await expect(at.fleet.launch(order({ count: 2 }))).rejects.toThrow(
      'It is not known what EC2 launched of purchase-1',
    );
    const launched = at.ec2.instances().map(({ instanceId }) => instanceId);
    expect(launched).toHaveLength(2);
    const { instances, faults } = await at.another().launch(order({ count: 2 }));
    expect([instances.map(({ instanceId }) => instanceId), faults]).toEqual([launched, []]);
    expect(at.ec2.instances()).toHaveLength(2);
  });

  it.each([
    { kind: 'refuse-connection', times: 2 },
    { kind: 'error', code: 'InternalError', times: 2 },
    { kind: 'error', code: 'RequestExpired' },
  ] as const)('is not known after $kind $code', async (fault) => {
    await using at = await openEc2();
    at.ec2.failNext({ action: 'RunInstances', ...fault });
    await expect(at.fleet.launch(one())).rejects.toThrow('It is not known what EC2 launched');
    expect((await at.fleet.launch(one())).instances).toHaveLength(1);
  });

  it('is told to be asked for later where EC2 is asked too much', async () => {
    await using at = await openEc2();
    for (const action of ['DescribeInstanceTypes', 'CreateFleet']) {
      at.ec2.failNext({ action, kind: 'throttle', times: 2 });
      expect(await at.fleet.launch(choice())).toMatchObject({ instances: [], faults: [{ kind: 'throttled' }] });
    }
    expect((await at.fleet.launch(choice())).instances).toHaveLength(1);
  });

  it.each(['UnauthorizedOperation', 'InvalidLaunchTemplateId.NotFound', 'InvalidSubnetID.NotFound'])(
    'is refused for good with EC2’s words after %s',
    async (code) => {
      await using at = await openEc2();
      at.ec2.failNext({ action: 'CreateFleet', kind: 'error', code });
      const { instances, faults } = await at.fleet.launch(choice());
      expect(instances).toEqual([]);
      expect(faults).toEqual([{ kind: 'invalid', message: expect.stringContaining(code) }]);
    },
  );

  it.each(['VcpuLimitExceeded', 'InstanceLimitExceeded', 'MaxSpotInstanceCountExceeded', 'PendingVerification'])(
    'meets a limit of the account as %s',
    async (code) => {
      await using at = await openEc2();
      at.ec2.failNext({ action: 'RunInstances', kind: 'error', code });
      expect(await at.fleet.launch(one())).toMatchObject({ instances: [], faults: [{ kind: 'limit' }] });
    },
  );

  it('launches as many as there are, and says where there are no more', async () => {
    await using at = await openEc2();
    at.ec2.exhaust('m7g.large', 'us-east-1a', 1);
    at.ec2.exhaust('m7g.large', 'us-east-1b', 1);
    at.ec2.exhaust('m7i.large', 'us-east-1b', 1);
    const { instances, faults } = await at.fleet.launch(choice({ count: 5 }));
    expect(instances.map(({ offer, zone }) => `${offer} ${zone}`)).toEqual([
      'm7g.large us-east-1a',
      'm7g.large us-east-1b',
      'm7i.large us-east-1b',
    ]);
    expect(faults.map((fault) => fault.kind === 'no-capacity' && `${fault.offer} ${fault.zone}`)).toEqual([
      'm7g.large us-east-1a',
      'm7g.large us-east-1b',
      'm7i.large us-east-1b',
    ]);
  });

  it('takes the best that there is, of whatever architecture', async () => {
    await using at = await openEc2();
    at.ec2.exhaust('c7i.large', 'us-east-1a');
    const offers = ['c7i.large', 'm7g.large', 'm7i.large'].map((name) => ({ name, zones: ['us-east-1a'] }));
    expect((await at.fleet.launch(choice({ offers }))).instances).toMatchObject([{ offer: 'm7g.large' }]);
  });

  it('of one kind launches as many as there are', async () => {
    await using at = await openEc2();
    at.ec2.exhaust('m7g.large', 'us-east-1a', 2);
    const { instances, faults } = await at.fleet.launch(one({ count: 3 }));
    expect(instances).toHaveLength(2);
    expect(faults).toEqual([
      { kind: 'no-capacity', offer: 'm7g.large', zone: 'us-east-1a', message: expect.stringContaining('2 of 3') },
    ]);
  });

  it('falls back where a zone has never had a type', async () => {
    const [m7i, m7g] = alike;
    if (m7i === undefined || m7g === undefined) throw new Error('there are no types');
    await using at = await openEc2({ types: [m7i, { ...m7g, zones: ['us-east-1b'] }] });
    const { instances, faults } = await at.fleet.launch(
      choice({
        offers: [
          { name: 'm7g.large', zones: ['us-east-1a'] },
          { name: 'm7i.large', zones: ['us-east-1a'] },
        ],
      }),
    );
    expect(instances).toMatchObject([{ offer: 'm7i.large', zone: 'us-east-1a' }]);
    expect(faults).toMatchObject([{ kind: 'no-capacity', offer: 'm7g.large', zone: 'us-east-1a' }]);
    expect(await at.fleet.launch(one({ id: 'purchase-2' }))).toMatchObject({
      instances: [],
      faults: [{ kind: 'no-capacity', offer: 'm7g.large', zone: 'us-east-1a' }],
    });
  });
});

describe('an order whose instances are ended', () => {
  it('is answered by what they were, and by nothing where EC2 does not show them', async () => {
    await using at = await openEc2();
    const { instances } = await at.fleet.launch(one());
    await at.fleet.terminate(instances.map(({ instanceId }) => instanceId));
    const ended = { action: 'RunInstances', kind: 'error', code: 'IdempotentInstanceTerminated' } as const;
    at.ec2.failNext(ended);
    expect(await at.fleet.launch(one())).toEqual({ instances, faults: [] });
    at.ec2.failNext(ended);
    await expect(at.fleet.launch(one({ id: 'purchase-2' }))).rejects.toThrow('nothing of it shows');
  });
});

/** AWS does not say what it answers to a repeated CreateFleet beside the fleet's id. */
describe('a fleet of which EC2 tells no more than its id', () => {
  const xml = (action: string, content: string): string =>
    `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${content}</${action}Response>`;
  const place = (subnetId: string): string =>
    '<launchTemplateAndOverrides><overrides><instanceType>m7g.large</instanceType>' +
    `<subnetId>${subnetId}</subnetId></overrides></launchTemplateAndOverrides>`;

  /** Answers these instead of EC2, everything else as EC2 does. */
  const inFrontOf = (url: string, answers: Readonly<Record<string, { status: number; body: string }>>) =>
    startLoopback(async (request, response) => {
      const body = await text(request);
      const answer = answers[new URLSearchParams(body).get('Action') ?? ''];
      if (answer !== undefined) return void response.writeHead(answer.status).end(answer.body);
      const headers = { authorization: request.headers.authorization ?? '', 'content-type': 'text/plain' };
      const passed = await fetch(url, { method: 'POST', headers, body });
      response.writeHead(passed.status).end(await passed.text());
    });
  const made = { status: 200, body: xml('CreateFleet', '<fleetId>fleet-1</fleetId>') };

  it('is described, with what was launched and what was not', async () => {
    await using at = await openEc2();
    const [a = '', b = ''] = Object.values(at.ec2.subnets);
    const fleet =
      `<fleetInstanceSet><item>${place(a)}<instanceType>m7g.large</instanceType>` +
      '<instanceIds><item>i-00000000000000001</item></instanceIds></item></fleetInstanceSet>' +
      `<errorSet><item>${place(b)}<errorCode>InsufficientInstanceCapacity</errorCode><errorMessage>None.</errorMessage></item></errorSet>`;
    const described = { status: 200, body: xml('DescribeFleets', `<fleetSet><item>${fleet}</item></fleetSet>`) };
    await using front = await inFrontOf(at.ec2.url, { CreateFleet: made, DescribeFleets: described });
    expect(await at.another({ endpoint: front.url }).launch(choice({ count: 2 }))).toEqual({
      instances: [{ instanceId: 'i-00000000000000001', offer: 'm7g.large', zone: 'us-east-1a' }],
      faults: [
        { kind: 'no-capacity', offer: 'm7g.large', zone: 'us-east-1b', message: 'InsufficientInstanceCapacity: None.' },
      ],
    });
  });

  it.each([
    ['RequestLimitExceeded', { kind: 'limit' }],
    ['MaxSpotInstanceCountExceeded', { kind: 'limit' }],
    ['UnauthorizedOperation', { kind: 'invalid' }],
    ['InternalError', { kind: 'no-capacity', offer: 'm7g.large', zone: 'us-east-1a' }],
    ['Unsupported', { kind: 'no-capacity', offer: 'm7g.large', zone: 'us-east-1a' }],
  ])('is answered for good, where it has %s too', async (code, fault) => {
    await using at = await openEc2();
    const [subnet = ''] = Object.values(at.ec2.subnets);
    const error = `<item>${place(subnet)}<errorCode>${code}</errorCode><errorMessage>No.</errorMessage></item>`;
    const answer = `<fleetId>fleet-1</fleetId><errorSet>${error}${error}</errorSet>`;
    const refused = { status: 200, body: xml('CreateFleet', answer) };
    await using front = await inFrontOf(at.ec2.url, { CreateFleet: refused });
    expect(await at.another({ endpoint: front.url }).launch(choice())).toEqual({
      instances: [],
      faults: [{ ...fault, message: `${code}: No.` }],
    });
  });

  it.each([
    ['says nothing of it', { status: 200, body: xml('DescribeFleets', '<fleetSet/>') }],
    [
      'does not let us see it',
      {
        status: 403,
        body: '<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>No.</Message></Error></Errors></Response>',
      },
    ],
  ])('is not taken for none where EC2 %s', async (_, described) => {
    await using at = await openEc2();
    await using front = await inFrontOf(at.ec2.url, { CreateFleet: made, DescribeFleets: described });
    const launched = at.another({ endpoint: front.url }).launch(choice());
    await expect(launched).rejects.toThrow('It is not known what EC2 launched of purchase-1');
  });
});
