/** What a type of resource is to the platform: how it is made of its properties, and what references to it are. */
import { z } from 'zod';
import type { StackSource } from '../template/template.ts';
import type { World } from '../world.ts';

export interface Wanted {
  readonly logicalId: string;
  readonly type: string;
  /** Resolved. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly world: World;
  readonly source: StackSource;
  /** What there was of it before an update. */
  readonly former?: Made & { readonly properties: Readonly<Record<string, unknown>> };
}

export interface Made {
  /** What `Ref` is. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** On deletion of the stack. */
  readonly remove?: () => Promise<void>;
}

/** Makes it, or, where there is a former one, brings that up to date. */
export type Reader = (wanted: Wanted) => Promise<Made> | Made;

/** The properties in the form that a reader knows. Throws naming the resource where they have another. */
export function propertiesOf<T extends z.ZodType>(schema: T, { logicalId, type, properties }: Wanted): z.output<T> {
  const parsed = schema.safeParse(properties);
  if (parsed.success) return parsed.data;
  throw new Error(`${logicalId} (${type}) is not as the platform knows it:\n${z.prettifyError(parsed.error)}`);
}

/** CloudFormation takes numbers and booleans as text too. */
export const number = z.coerce.number();
export const boolean = z.union([z.boolean(), z.stringbool()]);
