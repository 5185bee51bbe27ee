/** The form of an operation as data: from it come both transports, the OpenAPI document, the typed client and the docs. */
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

/** What a principal must be allowed to do. */
export const allActions = ['read', 'run', 'register', 'administer'] as const;
export type Action = (typeof allActions)[number];

export interface RestRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With input members in braces, for example `/v1/clusters/{cluster}/tasks`. The rest is the query (GET, DELETE) or the body. */
  readonly path: string;
  /** Of a successful answer. */
  readonly status: 200 | 201;
}

export interface Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** ECS' name where ECS has the operation. */
  readonly name: string;
  readonly summary: string;
  /** One of them, where what the call is about decides which: the handler asks for that one. */
  readonly action: Action | readonly Action[];
  /** `store`: for principals of all clusters only. Otherwise the clusters that the input names (policy.ts) are what it is about. */
  readonly scope?: 'store';
  readonly input: Input;
  /** Timestamps are Date objects here: epoch seconds on the ECS wire, RFC 3339 on REST. */
  readonly output: Output;
  /** Beyond those that every operation may answer. */
  readonly errors: readonly ErrorCode[];
  readonly rest: RestRoute;
  /** False for an operation that only REST has. */
  readonly wire: boolean;
}

/** Whether a call may change something. Who administers also reads what only he may. */
export const isMutating = ({ action, rest }: Pick<Operation, 'action' | 'rest'>): boolean =>
  action !== 'read' && rest.method !== 'GET';

/** Keeps the schemas' own types. */
export const defineOperation = <Input extends z.ZodType, Output extends z.ZodType>(
  operation: Operation<Input, Output>,
): Operation<Input, Output> => operation;
