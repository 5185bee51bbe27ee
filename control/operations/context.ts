/** What a handler is given besides its input. */
import type { Input, OperationName, Output } from '../../core/api/operations.ts';
import type { Rights } from '../../core/model/rights.ts';
import type { ControlDeps } from '../deps.ts';

/** Who asks: a Gantry key, or an IAM role or user. One kind, whatever the transport. */
export interface Principal extends Rights {
  /** For example `arn:aws:iam::000000000000:user/admin`. */
  readonly arn: string;
  /** The key of Gantry that signed; absent of IAM's, and where nobody signs. */
  readonly accessKeyId?: string;
}

export const mayUse = ({ clusters }: Pick<Rights, 'clusters'>, cluster: string): boolean =>
  clusters === 'all' || clusters.includes(cluster);

/** From where a call comes, for the audit log: decides nothing. */
export interface Caller {
  readonly transport: 'ecs' | 'rest';
  /** Of IAM, where the platform names it. */
  readonly accessKeyId?: string;
  /** As whoever took the connection saw it. */
  readonly sourceIp?: string;
  /** X-Forwarded-For, which proxies write and callers can. */
  readonly forwardedFor?: string;
  readonly userAgent?: string;
}

export interface OperationContext {
  readonly deps: ControlDeps;
  readonly principal: Principal;
  readonly requestId: string;
  /** The SDK's amz-sdk-invocation-id: the same on every retry of one call; a client token where the caller gave none. */
  readonly invocationId?: string;
  /** Absent where nobody calls from outside. */
  readonly caller?: Caller;
}

/** A handler an operation: what the registry holds and the transports call. */
export type Handlers = {
  readonly [Name in OperationName]: (context: OperationContext, input: Input<Name>) => Promise<Output<Name>>;
};
