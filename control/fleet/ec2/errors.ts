/**
 * What EC2's error codes mean to a launch. Reads errors by their shape, so that it needs no SDK. Never sends.
 *
 * EC2 answers a lack of capacity with a fault of the server (500), so a code counts before its status does.
 */
import { z } from 'zod';
import type { LaunchFault } from '../fleet.ts';

const errorShape = z.object({
  /** EC2's code, or the SDK's or Node's where no answer came. */
  name: z.string(),
  message: z.string(),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional(),
});

export type Meaning =
  | LaunchFault['kind']
  /** The order was asked for before: what came of it must be looked up. */
  | 'asked-before'
  /** Nobody knows whether anything was done. */
  | 'unknown';

const lacking = new Set([
  'InsufficientAddressCapacity',
  'InsufficientCapacity',
  'InsufficientFreeAddressesInSubnet',
  'InsufficientHostCapacity',
  'InsufficientInstanceCapacity',
  'InsufficientReservedInstanceCapacity',
  'ReservationCapacityExceeded',
  'SpotMaxPriceTooLow',
  'UnfulfillableCapacity',
  // A type that is not offered in a zone.
  'Unsupported',
]);

/** Of one type in one zone: there it says that the type is not to be had. */
const lackingOfOne = new Set(['InvalidFleetConfiguration']);

const throttling = new Set([
  'EC2ThrottledException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'Throttling',
  'ThrottlingException',
]);

const limits = new Set(['ConcurrentInstanceLaunchLimitExceeded', 'PendingVerification', 'ResourceLimitExceeded']);
/** VcpuLimitExceeded, InstanceLimitExceeded, MaxSpotInstanceCountExceeded, VolumeLimitExceeded, MaxIOPSLimitExceeded, … */
const limitPattern = /(?:Limit|InstanceCount|FleetCount)Exceeded$/;

/** The first is answered for other parameters (another launch template since, for example), the second where it is ended already. */
const askedBefore = new Set(['IdempotentParameterMismatch', 'IdempotentInstanceTerminated']);

/** Answered with a fault of the client, but the same may succeed later. */
const passing = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired', 'RequestTimeout']);
const serverFaults = new Set(['InternalError', 'InternalFailure', 'ServiceUnavailable', 'Unavailable']);

export function meaningOf(error: unknown): Meaning {
  const parsed = errorShape.safeParse(error);
  if (!parsed.success) return 'unknown';
  const { name, $metadata } = parsed.data;
  const status = $metadata?.httpStatusCode ?? 0;
  const isRefusal = status >= 400 && status < 500 && !passing.has(name) && !serverFaults.has(name);
  return meaningOfCode(name) ?? (isRefusal ? 'invalid' : 'unknown');
}

/** Of an error that is about one type in one zone, within an answer. That answer is final: the same order again would get it again. */
export function meaningOfPart(code: string): Exclude<LaunchFault['kind'], 'throttled'> {
  if (lackingOfOne.has(code) || serverFaults.has(code)) return 'no-capacity';
  const meaning = meaningOfCode(code);
  if (meaning === 'throttled') return 'limit';
  return meaning === undefined || meaning === 'asked-before' ? 'invalid' : meaning;
}

function meaningOfCode(code: string): Exclude<Meaning, 'unknown'> | undefined {
  if (lacking.has(code)) return 'no-capacity';
  if (throttling.has(code)) return 'throttled';
  if (limits.has(code) || limitPattern.test(code)) return 'limit';
  return askedBefore.has(code) ? 'asked-before' : undefined;
}

export const codeOf = (error: unknown): string => errorShape.safeParse(error).data?.name ?? '';

/** AWS' own words, without the ciphertext that a refusal may end in: it is long, and no reader's. */
export function messageOf(error: unknown): string {
  const { name, message } = errorShape.safeParse(error).data ?? { name: '', message: String(error) };
  return worded(name, message);
}

export const worded = (code: string, message: string): string =>
  `${code}: ${message.replace(/\s*Encoded authorization failure message:.*$/su, '') || 'EC2 says no more'}`;
