/**
 * Who calls: access keys of this platform's account, each with the principal behind it and what its policies allow. Every execution
 * role has keys of its own, so that a service on loopback knows which function it is that calls.
 */
import { createHash } from 'node:crypto';
import { accessKeyOf } from '../../support/faulty-dynamo.ts';
import { type Call, isAllowed, type Statement } from './policy.ts';

export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly arn: string;
  /** Looked at on each call: a later update of the stack may change them. */
  readonly statements: () => readonly Statement[];
}

export interface Denial extends Call {
  readonly principal: string;
}

export class Identities {
  readonly #byKey = new Map<string, Identity>();
  /** Every call that was refused: a test that expects none looks here. */
  readonly denials: Denial[] = [];

  add(arn: string, statements: () => readonly Statement[]): Identity {
    const digest = createHash('sha256').update(arn).digest('hex').toUpperCase();
    const identity = {
      accessKeyId: `ASIA${digest.slice(0, 16)}`,
      secretAccessKey: digest.slice(16, 56).toLowerCase(),
      arn,
      statements,
    };
    this.#byKey.set(identity.accessKeyId, identity);
    return identity;
  }

  find(accessKeyId: string | undefined): Identity | undefined {
    return accessKeyId === undefined ? undefined : this.#byKey.get(accessKeyId);
  }

  /** Of the `Authorization` header: the services on loopback believe it, as they are reached by the platform's own children alone. */
  ofHeader(authorization: string | undefined): Identity | undefined {
    return this.find(accessKeyOf(authorization ?? ''));
  }

  /** Notes what it refuses. */
  allows(identity: Identity, call: Call): boolean {
    if (isAllowed(identity.statements(), call)) return true;
    this.denials.push({ ...call, principal: identity.arn });
    return false;
  }
}

/** AWS' words for it. */
export const denialMessage = ({ arn }: Identity, { action, resource }: Call): string =>
  `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
