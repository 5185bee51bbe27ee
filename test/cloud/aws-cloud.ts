/**
 * A control plane of the AWS shape on loopback, as whoever deployed it uses it: an administrator by IAM, a key for clients of the wire
 * protocol, a token for hosts, and hands on what the platform lets a test disturb.
 */
import { expect } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import type { Credentials } from '../../client/signer.ts';
import { allActions } from '../../core/api/operation.ts';
import { statementSchema } from './iam/policy.ts';
import type { LambdaFunction } from './lambda/lambda-function.ts';
import { eventually } from './patience.ts';
import { Platform, type PlatformOptions } from './platform.ts';
import type { EventSourceMapping } from './stream/event-source-mapping.ts';
import { type SynthOptions, synthesize } from './synth.ts';
import type { StackSource } from './template/template.ts';
import type { World } from './world.ts';

export const functionNames = ['api', 'hosts', 'wake', 'events', 'sweep', 'fleet', 'resources'] as const;
export type FunctionName = (typeof functionNames)[number];

export interface AwsCloud extends AsyncDisposable {
  readonly platform: Platform;
  /** What was deployed. */
  readonly source: StackSource;
  readonly world: World;
  /** Of the REST API and the hosts' routes. */
  readonly endpoint: string;
  /** Of the wire protocol: what stands before the API. */
  readonly wireEndpoint: string;
  readonly region: string;
  /** May do everything over REST, by IAM. */
  readonly client: Client;
  readonly administrator: Credentials;
  lambda(name: FunctionName): LambdaFunction;
  mapping(name: 'wake' | 'events'): EventSourceMapping;
  /** A key of Gantry that may do everything, for clients of the wire protocol. */
  wireKey(): Promise<Credentials>;
  /** Admits any number of hosts to the cluster. */
  joinToken(cluster?: string): Promise<string>;
  /** Resolves once the functions behind the stream have done with everything that was written before. */
  quiet(): Promise<void>;
  /** What the schedule does each minute. */
  sweep(): Promise<void>;
  /** Ends every process of every function in the middle of what it does. */
  killFunctions(): Promise<void>;
}

export async function startAwsCloud(options: PlatformOptions & SynthOptions = {}): Promise<AwsCloud> {
  await using made = new AsyncDisposableStack();
  const source = made.adopt(await synthesize(options), (one) => one[Symbol.dispose]());
  const platform = made.use(await Platform.deploy(source, options));
  const { world, outputs } = platform;
  const { Endpoint: endpoint = '', WireEndpoint: wireEndpoint = '' } = outputs;
  const region = world.options.region;
  const administrator = administratorOf(world);
  const client = createClient({ endpoint, region, credentials: administrator, signingService: 'execute-api' });
  const lambda = (name: FunctionName): LambdaFunction =>
    found(world.functions.values(), ({ config }) => isOf(config.name, name));
  const all = made.move();
  return {
    platform,
    source,
    world,
    endpoint,
    wireEndpoint,
    region,
    client,
    administrator,
    lambda,
    mapping: (name) => found(world.mappings.values(), ({ target }) => target === lambda(name)),
    async wireKey() {
      const { accessKey, secretAccessKey } = await client.call('CreateAccessKey', {
        userName: 'a-client',
        actions: [...allActions],
      });
      return { accessKeyId: accessKey.accessKeyId, secretAccessKey };
    },
    async joinToken(cluster = 'default') {
      return (await client.call('CreateJoinToken', { cluster, reusable: true })).joinToken;
    },
    async quiet() {
      await Promise.all([...world.streams.values()].map((stream) => stream.caughtUp()));
      await eventually(() => expect([...world.mappings.values()].every(({ isIdle }) => isIdle)).toBe(true));
    },
    async sweep() {
      for (const { fire } of world.timers.values()) await fire();
    },
    async killFunctions() {
      await Promise.all([...world.functions.values()].map((one) => one.kill()));
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Logical ids are the construct's id with a hash behind it. */
function isOf(functionName: string, name: FunctionName): boolean {
  const id = name.charAt(0).toUpperCase() + name.slice(1);
  return new RegExp(`ControlPlane${id}[0-9A-F]{8}$`).test(functionName);
}

function found<T>(all: Iterable<T>, isIt: (one: T) => boolean): T {
  const one = [...all].find(isIt);
  if (one === undefined) throw new Error('the stack has none of that name');
  return one;
}

function administratorOf(world: World): Credentials {
  const arn = world.globalArn('iam', 'user/administrator');
  const statement = statementSchema.parse({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' });
  const { accessKeyId, secretAccessKey } = world.identities.add(arn, () => [statement]);
  return { accessKeyId, secretAccessKey };
}
