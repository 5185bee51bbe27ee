/**
 * The AWS shape on loopback: deploys a synthesized stack as CloudFormation would, resource by resource in the order of their
 * references, so that what its template says is what runs. Updates and deletes it too.
 */

import type { Made } from './resources/reader.ts';
import { readerOf } from './resources/readers.ts';
import { Resolver } from './template/intrinsics.ts';
import { creationOrder, type StackSource } from './template/template.ts';
import { World, type WorldOptions } from './world.ts';

export interface PlatformOptions extends Partial<WorldOptions> {
  readonly parameters?: Readonly<Record<string, string>>;
}

interface Existing extends Made {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

const defaults: WorldOptions = { stackName: 'Gantry', region: 'us-east-1', accountId: '000000000000', seed: 1 };

export class Platform implements AsyncDisposable {
  readonly world: World;
  readonly #parameters: Readonly<Record<string, string>>;
  readonly #existing = new Map<string, Existing>();
  #order: string[] = [];
  #outputs: Readonly<Record<string, string>> = {};
  #assets: ReadonlyMap<string, string> = new Map();

  private constructor(world: World, parameters: Readonly<Record<string, string>>) {
    this.world = world;
    this.#parameters = parameters;
  }

  /** An account with the stack in it. What was made is ended where the rest fails. */
  static async deploy(source: StackSource, { parameters = {}, ...options }: PlatformOptions = {}): Promise<Platform> {
    const platform = new Platform(await World.create({ ...defaults, ...options }), parameters);
    try {
      await platform.update(source);
    } catch (error) {
      await platform[Symbol.asyncDispose]();
      throw error;
    }
    return platform;
  }

  /** Outputs by logical id, as they are reached on loopback. */
  get outputs(): Readonly<Record<string, string>> {
    return this.#outputs;
  }

  /** What `Ref` of a resource is. */
  idOf(logicalId: string): string {
    return this.#known(logicalId).id;
  }

  /** All resources of a type, with their properties as the service was given them. */
  resourcesOf(type: string): readonly Existing[] {
    return [...this.#existing.values()].filter((one) => one.type === type);
  }

  /** What was published, by its key in S3. */
  get assets(): ReadonlyMap<string, string> {
    return this.#assets;
  }

  /** Makes what is new, brings the rest up to date, and removes what the template no longer has. */
  async update(source: StackSource): Promise<void> {
    const { template, assets } = source;
    this.#assets = assets;
    const resolver = this.#resolver(source);
    const wanted = Object.entries(template.Resources).filter(
      ([, { Condition }]) => Condition === undefined || resolver.holds(Condition),
    );
    const order = creationOrder(Object.fromEntries(wanted));
    for (const logicalId of order) await this.#make(logicalId, source, resolver);
    for (const logicalId of this.#order.toReversed()) if (!order.includes(logicalId)) await this.#remove(logicalId);
    this.#order = order;
    for (const check of this.world.afterwards.splice(0)) check();
    const outputs = Object.entries(template.Outputs).map(([name, { Value }]) => [name, resolver.resolve(Value)]);
    this.#outputs = Object(this.world.localized(Object.fromEntries(outputs)));
  }

  /** `cdk destroy`: in reverse order; throws where a resource refuses, with everything before it still there. */
  async destroy(): Promise<void> {
    for (const logicalId of this.#order.toReversed()) await this.#remove(logicalId);
    this.#order = [];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]();
  }

  async #make(logicalId: string, source: StackSource, resolver: Resolver): Promise<void> {
    const resource = source.template.Resources[logicalId];
    if (resource === undefined) return;
    const { Type: type } = resource;
    const properties: Record<string, unknown> = Object(resolver.resolve(resource.Properties));
    const former = this.#existing.get(logicalId);
    const base = { logicalId, type, properties, world: this.world, source };
    const made = await readerOf(type)({ ...base, ...(former !== undefined && { former }) });
    this.#existing.set(logicalId, { ...made, type, properties });
  }

  async #remove(logicalId: string): Promise<void> {
    await this.#existing.get(logicalId)?.remove?.();
    this.#existing.delete(logicalId);
  }

  #known(logicalId: string): Existing {
    const known = this.#existing.get(logicalId);
    if (known === undefined) throw new Error(`there is no resource ${logicalId}`);
    return known;
  }

  #resolver({ template }: StackSource): Resolver {
    const { region, accountId, stackName } = this.world.options;
    return new Resolver(template, {
      region,
      accountId,
      stackName,
      stackId: this.world.arn('cloudformation', `stack/${stackName}/loopback`),
      parameters: { ...wellKnown, ...this.#parameters },
      attribute: (logicalId, attribute) => {
        const { id, attributes } = this.#known(logicalId);
        if (attribute === undefined) return id;
        if (!(attribute in attributes)) throw new Error(`${logicalId} has no attribute ${attribute} on this platform`);
        return attributes[attribute];
      },
    });
  }
}

/** Parameters that CDK adds by itself. */
const wellKnown: Readonly<Record<string, string>> = { BootstrapVersion: '21' };
