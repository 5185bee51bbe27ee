/** What a kind of custom resource is to the handler. Each step may be asked for again: CloudFormation and Lambda both repeat. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { ControlDeps } from '../../control/deps.ts';
import type { Principal } from '../../control/operations/context.ts';

export interface ResourceContext {
  readonly deps: ControlDeps;
  readonly principal: Principal;
  readonly requestId: string;
  readonly stackId: string;
  readonly logicalId: string;
  /** When the answer must be on its way (epoch milliseconds). */
  readonly deadline: number;
}

/** `id` is CloudFormation's physical id: another one than before replaces the resource, and the former is deleted afterwards. */
export interface Made {
  readonly id: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface ResourceKind<Properties> {
  readonly properties: z.ZodType<Properties>;
  create(context: ResourceContext, properties: Properties): Promise<Made>;
  /** `former`: what it was made with; undefined where that cannot be read. */
  update(context: ResourceContext, properties: Properties, former: Properties | undefined, id: string): Promise<Made>;
  /** Succeeds where there is nothing. `id` may be of a resource that was never made. */
  delete(context: ResourceContext, properties: Properties, id: string): Promise<void>;
}

/** A name for the place of a resource: its stack, and what it is called there. The same for as long as the resource is the same. */
export const placeOf = ({ stackId, logicalId }: ResourceContext): string =>
  createHash('sha256').update(`${stackId}/${logicalId}`).digest('hex').slice(0, 16);
