/** What a stack is to the platform: its resources, their order, its updates and its end. */
import { describe, expect, it } from 'vitest';
import { fixtureStack } from './fixture/stack.ts';
import { eventually, patience } from './patience.ts';
import { Platform } from './platform.ts';

const deploy = async (change?: Parameters<typeof fixtureStack>[0]) => {
  await using made = new AsyncDisposableStack();
  const stack = made.adopt(fixtureStack(change), (one) => one[Symbol.dispose]());
  const platform = made.use(await Platform.deploy(stack));
  const all = made.move();
  return { stack, platform, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

describe('a stack', patience, () => {
  it('has outputs out of what its resources are, those of custom resources included', async () => {
    await using made = await deploy();
    expect(made.platform.outputs).toEqual({
      Url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      Seen: 'Create',
      Told: made.platform.outputs.Url,
    });
  });

  it.each<[string, Parameters<typeof fixtureStack>[0], RegExp]>([
    [
      'a type that nobody knows',
      (all) => (all.New = { Type: 'AWS::Quantum::Computer' }),
      /does not know the resource type/,
    ],
    ['a route that the function lets nobody call', (all) => delete all.MayCall, /no permission lets API Gateway call/],
    [
      'a stream that the role may not read',
      (all) =>
        Object.assign(all.Policy ?? {}, {
          Properties: { PolicyName: 'P', PolicyDocument: { Version: '', Statement: [] } },
        }),
      /may not dynamodb:GetRecords/,
    ],
    [
      'a property of another form',
      (all) => Object.assign(all.Function?.Properties ?? {}, { Runtime: 'cobol' }),
      /Function \(AWS::Lambda::Function\) is not as/,
    ],
    [
      'a custom resource that fails',
      (all) => Object.assign(all.Custom?.Properties ?? {}, { Refuse: 'Create' }),
      /Custom \(Custom::Thing\) Create failed: as told/,
    ],
  ])('is refused with %s', async (_, change, message) => {
    await expect(deploy(change)).rejects.toThrow(message);
  });

  it('is updated: custom resources see the change, and are replaced where their name is another', async () => {
    await using made = await deploy();
    const { platform, stack } = made;
    const lambda = [...platform.world.functions.values()][0] ?? expect.fail();
    await platform.update(stack);
    expect(lambda.invocations).toHaveLength(1);
    using changed = fixtureStack((all) => Object.assign(all.Custom?.Properties ?? {}, { Name: 'second' }));
    await platform.update(changed);
    expect(platform.outputs.Seen).toBe('Update');
    expect(platform.idOf('Custom')).toBe('second');
    // Create, Update, and Delete of the first.
    expect(lambda.invocations).toHaveLength(3);
  });

  it('is not destroyed where a resource refuses', async () => {
    await using made = await deploy((all) => Object.assign(all.Custom?.Properties ?? {}, { Refuse: 'Delete' }));
    await expect(made.platform.destroy()).rejects.toThrow('Custom (Custom::Thing) Delete failed: as told');
    await using other = await deploy();
    await other.platform.destroy();
    expect(() => other.platform.idOf('Custom')).toThrow('there is no resource Custom');
  });

  it('gives records of its stream up into its queue, and none that its filter drops', async () => {
    await using made = await deploy();
    const { world } = made.platform;
    const put = (pk: string, more: object = {}) =>
      world.emulator('DynamoDB', 'PutItem', {
        TableName: 'Gantry-Table',
        Item: { pk: { S: pk }, sk: { S: 's' }, ...more },
      });
    await put('closed#1', { bad: { BOOL: true } });
    await put('open#1', { bad: { BOOL: true } });
    await put('open#2');
    const [queue = []] = world.queues.values();
    await eventually(() =>
      expect(queue).toMatchObject([
        { requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 } },
      ]),
    );
    const [mapping] = world.mappings.values();
    await eventually(() => expect(mapping?.isIdle).toBe(true));
    // The bad one three times, the good one once.
    expect(mapping?.delivered).toBe(4);
  });

  it('lets a function touch only the keys that its role names', async () => {
    await using made = await deploy();
    const { world } = made.platform;
    const lambda = [...world.functions.values()][0] ?? expect.fail();
    const { accessKeyId } = lambda.config.credentials;
    const call = async (operation: string, input: object) => {
      const response = await fetch(world.endpoints.AWS_ENDPOINT_URL_DYNAMODB ?? '', {
        method: 'POST',
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
          'x-amz-date': '20260101T000000Z',
          'x-amz-target': `DynamoDB_20120810.${operation}`,
        },
        body: JSON.stringify({ TableName: 'Gantry-Table', ...input }),
      });
      return response.status === 200 ? 'allowed' : String(Object(await response.json()).message);
    };
    const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 's' } });
    expect(await call('PutItem', { Item: key('open#1') })).toBe('allowed');
    expect(await call('PutItem', { Item: key('closed#1') })).toContain('not authorized to perform: dynamodb:PutItem');
    expect(await call('DeleteItem', { Key: key('open#1') })).toContain('dynamodb:DeleteItem');
    expect(await call('Scan', {})).toContain('dynamodb:Scan');
    const both = [
      { Put: { TableName: 'Gantry-Table', Item: key('open#1') } },
      { Put: { TableName: 'Gantry-Table', Item: key('other') } },
    ];
    expect(await call('TransactWriteItems', { TransactItems: both })).toContain('dynamodb:PutItem');
    expect(world.identities.denials).toHaveLength(4);
  });
});
