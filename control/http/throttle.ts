/**
 * Who asks too often: calls of one access key (or IAM principal), reads and mutations apart, and requests from one address that end before
 * anybody is recognised. In memory of one process: where several answer, each counts for itself.
 */
import { z } from 'zod';
import type { Operation } from '../../core/api/operation.ts';
import { GantryError } from '../../core/errors.ts';
import type { Principal } from '../operations/context.ts';
import { createTokenBuckets, type Rate } from './token-buckets.ts';

/** What a call counts as. */
export type CallKind = 'read' | 'mutation';

export const kindOf = ({ action }: Pick<Operation, 'action'>): CallKind => (action === 'read' ? 'read' : 'mutation');

export interface ThrottleRates {
  /** Of one key. */
  readonly reads: Rate;
  /** Of one key. */
  readonly mutations: Rate;
  /** Of one address: requests that nobody has signed, or not rightly. */
  readonly strangers: Rate;
}

/** How a rate is written in settings: `2000/4000`. */
export const rateTextSchema = z
  .string()
  .regex(/^[1-9]\d{0,5}\/[1-9]\d{0,5}$/, 'must be calls a second and at once, for example 2000/4000');

/** Of a text that the schema lets through. */
function rateOf(text: string): Rate {
  const [perSecond = 0, burst = 0] = text.split('/').map(Number);
  return { perSecond, burst };
}

/** The bounds of a key that are given, by name. */
export const keyRates = ({ reads, mutations }: Record<'reads' | 'mutations', string | undefined>) => ({
  ...(reads !== undefined && { reads: rateOf(reads) }),
  ...(mutations !== undefined && { mutations: rateOf(mutations) }),
});

/** More than one process answers to one caller; a client that loops without a pause is what they are for. */
const defaultRates: ThrottleRates = {
  reads: { perSecond: 2000, burst: 4000 },
  mutations: { perSecond: 1000, burst: 2000 },
  strangers: { perSecond: 20, burst: 200 },
};

export interface Throttle {
  /** Throws ThrottlingException where the address that the platform knows has been refused too often. */
  admitAddress(platform: unknown): void;
  /** A request from there ended before anybody was recognised. */
  countStranger(platform: unknown): void;
  /** Throws ThrottlingException where the principal has called too often. */
  admit(principal: Principal, kind: CallKind): void;
}

export interface ThrottleOptions {
  readonly rates?: Partial<ThrottleRates>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Where a request comes from; undefined, which is never refused, where that says nothing about who sends it. */
  readonly addressOf?: (platform: unknown) => string | undefined;
}

export function createThrottle({ rates, now, addressOf = () => undefined }: ThrottleOptions): Throttle {
  const { reads, mutations, strangers } = { ...defaultRates, ...rates };
  const calls = { read: createTokenBuckets(reads), mutation: createTokenBuckets(mutations) };
  const refused = createTokenBuckets(strangers);
  return {
    admitAddress(platform) {
      const address = addressOf(platform);
      if (address !== undefined && refused.isEmpty(address, now()))
        throw tooOften('Too many requests from this address were not signed, or not rightly.');
    },
    countStranger(platform) {
      const address = addressOf(platform);
      if (address !== undefined) refused.take(address, now());
    },
    admit({ arn, accessKeyId = arn }, kind) {
      if (calls[kind].take(accessKeyId, now())) return;
      const { perSecond, burst } = kind === 'read' ? reads : mutations;
      throw tooOften(`This key may make ${perSecond} ${kind}s a second, and ${burst} at once; ask again in a moment.`);
    },
  };
}

/** AWS' own message. */
const tooOften = (hint: string): GantryError => new GantryError('ThrottlingException', 'Rate exceeded', { hint });
