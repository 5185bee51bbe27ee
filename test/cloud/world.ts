/**
 * What the resources of a stack are made in: one account in one region on loopback, with everything that they share. Holds things and
 * names them as AWS does; what a type of resource means is in resources/.
 */
import { createHash } from 'node:crypto';
import type { Ec2Options } from '../ec2/ec2.ts';
import type { LoopbackServer } from '../ec2/loopback.ts';
import type { ConsumedUnits } from '../support/consumed-units.ts';
import { type FaultInjector, InjectedError, noFaults } from '../support/dynamodb-faults.ts';
import { type FaultyDynamo, startFaultyDynamo } from '../support/faulty-dynamo.ts';
import { callsOf } from './dynamo/calls.ts';
import { type EmulatorCall, emulatorCall } from './dynamo/emulator.ts';
import type { CloudFront } from './gateway/cloud-front.ts';
import type { HttpApi } from './gateway/http-api.ts';
import type { WebSocketApi, WebSocketTarget } from './gateway/web-socket-api.ts';
import { denialMessage, Identities } from './iam/identities.ts';
import type { Statement } from './iam/policy.ts';
import type { LambdaFunction } from './lambda/lambda-function.ts';
import { type AwsServices, startAwsServices } from './services/aws-services.ts';
import { type Ec2Place, startEc2Place } from './services/ec2-place.ts';
import { EventBuses } from './services/event-bus.ts';
import { EncryptionKeys } from './services/keys.ts';
import { startLambdaApi } from './services/lambda-api.ts';
import type { EventSourceMapping } from './stream/event-source-mapping.ts';
import { passes } from './stream/filter.ts';
import type { StreamReader } from './stream/stream-reader.ts';

export interface WorldOptions {
  readonly stackName: string;
  readonly region: string;
  readonly accountId: string;
  /** Of the faults of DynamoDB; none until rates are set. */
  readonly seed: number;
  /** Where functions find services that are not here, such as AWS_ENDPOINT_URL_STS. */
  readonly endpoints?: Readonly<Record<string, string>>;
  /** What EC2 has, and what runs for an instance that is launched: nothing where nobody says. */
  readonly ec2?: Omit<Ec2Options, 'region' | 'account'>;
  /** How many events each function takes at once that reserves none; else as many as a small machine bears. */
  readonly concurrency?: number;
  /** True: hosts are elsewhere, find the gateways by AWS' names, and are told those. */
  readonly hostsKnowNames?: boolean;
}

/** A scheduled call of a function: its event is made when it is due. */
export interface Timer {
  readonly logicalId: string;
  readonly expression: string;
  readonly fire: () => Promise<void>;
}

/** A rule that waits for events of AWS itself, such as a change of an EC2 instance's state. */
export interface EventRule {
  readonly pattern: string;
  readonly target: LambdaFunction;
}

export interface Permission {
  readonly functionArn: string;
  readonly principal: string;
  readonly sourceArn: string | undefined;
}

export class World implements AsyncDisposable {
  readonly options: WorldOptions;
  readonly identities: Identities;
  /** By name: what each role's policies say at the moment. */
  readonly roles = new Map<string, Map<string, readonly Statement[]>>();
  readonly roleArns = new Map<string, string>();
  /** From the ARN of an instance profile to its role's. */
  readonly profileRoles = new Map<string, string>();
  readonly functions: Map<string, LambdaFunction>;
  readonly permissions: Permission[] = [];
  /** What can be checked only once everything is there. */
  readonly afterwards: (() => void)[] = [];
  readonly httpApis = new Map<string, HttpApi>();
  readonly webSocketApis = new Map<string, WebSocketApi>();
  readonly integrations = new Map<string, { readonly target: WebSocketTarget; readonly timeoutMs: number }>();
  /** From the ARN of a CloudFront function to its code. */
  readonly edgeFunctions = new Map<string, string>();
  readonly distributions = new Map<string, CloudFront>();
  readonly streams = new Map<string, StreamReader>();
  readonly mappings = new Map<string, EventSourceMapping>();
  readonly queues = new Map<string, object[]>();
  readonly timers = new Map<string, Timer>();
  readonly rules = new Map<string, EventRule>();
  readonly keys: EncryptionKeys;
  readonly buses: EventBuses;
  /** EC2, of which launch templates and subnets of stacks are. */
  readonly place: Ec2Place;
  /** Names of the internet and what stands for them on loopback. */
  readonly addresses = new Map<string, string>();
  readonly #dynamo: FaultyDynamo;
  readonly #services: AwsServices;
  readonly #lambdaApi: LoopbackServer;

  private constructor(options: WorldOptions, dynamo: FaultyDynamo, services: AwsServices, parts: Parts) {
    this.options = options;
    this.#dynamo = dynamo;
    this.#services = services;
    this.buses = parts.buses;
    this.keys = parts.keys;
    this.identities = parts.identities;
    this.place = parts.place;
    this.functions = parts.functions;
    this.#lambdaApi = parts.lambdaApi;
    this.place.ec2.onEvent((event) => this.#tell(event));
  }

  static async create(options: WorldOptions): Promise<World> {
    const identities = new Identities();
    const arnOf = (service: string, rest: string) =>
      `arn:aws:${service}:${options.region}:${options.accountId}:${rest}`;
    const buses = new EventBuses((name) => (name.startsWith('arn:') ? name : arnOf('events', `event-bus/${name}`)));
    const keys = new EncryptionKeys();
    const services = await startAwsServices(
      identities,
      new Map([
        ['AWSEvents.PutEvents', buses.putEvents],
        ['TrentService.GenerateDataKey', keys.generateDataKey],
        ['TrentService.Decrypt', keys.decrypt],
      ]),
    );
    const dynamo = await startFaultyDynamo({
      seed: options.seed,
      rates: noFaults,
      admit(operation, input, authorization) {
        const identity = identities.ofHeader(authorization);
        if (identity === undefined)
          throw new InjectedError('UnrecognizedClientException', 'The security token is invalid.');
        const calls = callsOf(operation, input, {
          partitionKey: 'pk',
          arnOf: (name) => arnOf('dynamodb', `table/${name}`),
        });
        const refused = calls.find((call) => !identities.allows(identity, call));
        if (refused !== undefined) throw new InjectedError('AccessDeniedException', denialMessage(identity, refused));
      },
    });
    const { ec2, region, accountId: account } = options;
    const place = await startEc2Place(identities, { ...ec2, region, account });
    const functions = new Map<string, LambdaFunction>();
    const lambdaApi = await startLambdaApi(identities, (name) => functionIn(functions, name));
    return new World(options, dynamo, services, { buses, keys, identities, place, lambdaApi, functions });
  }

  /** Gives an event of AWS to the functions of the rules that match it. */
  async #tell(event: object): Promise<void> {
    const matching = [...this.rules.values()].filter(({ pattern }) => passes(event, [pattern]));
    await Promise.all(matching.map(({ target }) => target.invoke(event)));
  }

  /** Rates of faults between functions and the table. */
  get faults(): FaultInjector {
    return this.#dynamo.injector;
  }

  /** By functions: the platform's own calls are not among them. */
  get consumed(): ConsumedUnits {
    return this.#dynamo.consumed;
  }

  /** The emulator itself, past faults and counters. */
  get upstream(): string {
    return this.#dynamo.upstream;
  }

  get emulator(): EmulatorCall {
    return emulatorCall(this.#dynamo.upstream);
  }

  /** Calls of AWS services that do not exist here. */
  get unknownCalls(): readonly string[] {
    return this.#services.unknown;
  }

  /** Where the SDK's clients of functions find the services on loopback. */
  get endpoints(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_DYNAMODB: this.#dynamo.endpoint,
      // Whatever has none of its own stays on this machine and is refused there.
      AWS_ENDPOINT_URL: this.#services.url,
      AWS_ENDPOINT_URL_LAMBDA: this.#lambdaApi.url,
      ...this.place.endpoints,
      ...this.options.endpoints,
    };
  }

  arn(service: string, rest: string): string {
    return `arn:aws:${service}:${this.options.region}:${this.options.accountId}:${rest}`;
  }

  globalArn(service: string, rest: string): string {
    return `arn:aws:${service}::${this.options.accountId}:${rest}`;
  }

  /** A name in the place of the one that AWS would make: the same for the same resource. */
  digest(logicalId: string, length: number): string {
    return createHash('sha256').update(`${this.options.stackName}/${logicalId}`).digest('hex').slice(0, length);
  }

  statementsOf(roleName: string): readonly Statement[] {
    return [...(this.roles.get(roleName)?.values() ?? [])].flat();
  }

  /** By ARN or name, as properties name functions in both ways. */
  functionOf(arnOrName: string): LambdaFunction {
    return functionIn(this.functions, arnOrName);
  }

  /** With loopback addresses instead of names of the internet, throughout. */
  localized(value: unknown): unknown {
    if (typeof value === 'string') return this.#localizedText(value);
    if (Array.isArray(value)) return value.map((one) => this.localized(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.localized(one)]));
  }

  #localizedText(text: string): string {
    let local = text;
    for (const [name, address] of this.addresses)
      local = local.replaceAll(`https://${name}`, `http://${address}`).replaceAll(`wss://${name}`, `ws://${address}`);
    return local;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place[Symbol.asyncDispose]();
    await this.#lambdaApi[Symbol.asyncDispose]();
    await Promise.all([...this.streams.values()].map((stream) => stream.stop()));
    await Promise.all([...this.functions.values()].map((lambda) => lambda.kill()));
    await Promise.all([...this.mappings.values()].map((mapping) => mapping.stop()));
    const servers = [...this.httpApis.values(), ...this.webSocketApis.values(), ...this.distributions.values()];
    await Promise.all(servers.map((server) => server.stop()));
    await this.#services[Symbol.asyncDispose]();
    await this.#dynamo[Symbol.asyncDispose]();
  }
}

interface Parts {
  readonly buses: EventBuses;
  readonly keys: EncryptionKeys;
  readonly identities: Identities;
  readonly place: Ec2Place;
  readonly lambdaApi: LoopbackServer;
  readonly functions: Map<string, LambdaFunction>;
}

function functionIn(functions: ReadonlyMap<string, LambdaFunction>, arnOrName: string): LambdaFunction {
  const plain = /function:([^:/]+)/.exec(arnOrName)?.[1] ?? arnOrName;
  const found = [...functions.values()].find(({ config }) => config.name === plain);
  if (found === undefined) throw new Error(`there is no function ${arnOrName}`);
  return found;
}
