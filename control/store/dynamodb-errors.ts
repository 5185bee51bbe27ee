/**
 * What DynamoDB's errors mean to a table: a normal outcome of a commit, something to try again, a mistake of ours, or a fault of the
 * store. Reads errors by their shape, so that it needs no SDK. Never sends and never waits.
 */
import { z } from 'zod';
import { GantryError } from '../../core/errors.ts';
import { itemOf } from './attribute-values.ts';
import { keyOf } from './checks.ts';
import type { Change, CommitResult } from './table.ts';
import { itemTooLarge, TableUsageError } from './values.ts';

const attributes = z.record(z.string(), z.unknown());

const errorShape = z.object({
  name: z.string(),
  message: z.string(),
  /** Node's, where no answer came. */
  code: z.string().optional(),
  $metadata: z.object({ httpStatusCode: z.number().optional(), clockSkewCorrected: z.boolean().optional() }).optional(),
  /** ConditionalCheckFailedException: the item as it is, where there is one. */
  Item: attributes.optional(),
  /** TransactionCanceledException: one reason a change, in order. */
  CancellationReasons: z
    .array(z.object({ Code: z.string().optional(), Message: z.string().optional(), Item: attributes.optional() }))
    .optional(),
});

type DynamoDbError = z.infer<typeof errorShape>;

const throttlingNames = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
]);
const throttlingReasons = new Set(['ProvisionedThroughputExceeded', 'ThrottlingError']);

/** The same request, by its token, still runs: an earlier attempt whose answer was lost. */
const stillRunning = 'TransactionInProgressException';
const networkCodes = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Throttled, not answered, or answered with a fault of the server: the same request, with the same token, may succeed. */
export function isWorthRetrying(error: unknown): boolean {
  const parsed = errorShape.safeParse(error);
  return parsed.success && (isThrottled(parsed.data) || isTransient(parsed.data));
}

const isThrottled = ({ name, CancellationReasons = [] }: DynamoDbError): boolean =>
  throttlingNames.has(name) || CancellationReasons.some(({ Code }) => throttlingReasons.has(Code ?? ''));

const isTransient = ({ name, code, $metadata }: DynamoDbError): boolean =>
  name === stillRunning ||
  name === 'TimeoutError' ||
  networkCodes.has(code ?? '') ||
  ($metadata?.httpStatusCode ?? 0) >= 500 ||
  $metadata?.clockSkewCorrected === true;

/** What the error of a write says about the commit, or undefined when it says nothing. */
export function outcomeOf(error: unknown, changes: readonly Change[]): CommitResult | undefined {
  const parsed = errorShape.safeParse(error);
  if (!parsed.success) return undefined;
  const { name, Item, CancellationReasons = [] } = parsed.data;
  if (name === 'ConditionalCheckFailedException') return { outcome: 'refused', failed: [failure(0, Item)] };
  if (name === 'TransactionConflictException') return { outcome: 'conflict' };
  const failed = CancellationReasons.flatMap(({ Code, Item: item }, index) =>
    Code === 'ConditionalCheckFailed' ? [failure(index, item)] : [],
  );
  if (failed.length > 0) return { outcome: 'refused', failed };
  throwOnInvalid(parsed.data, changes);
  return CancellationReasons.some(({ Code }) => Code === 'TransactionConflict') ? { outcome: 'conflict' } : undefined;
}

const failure = (index: number, item: Record<string, unknown> | undefined) => ({
  index,
  ...(item && { item: itemOf(item) }),
});

/** Updates that the item as it is does not permit, and items that an update made too large. */
function throwOnInvalid({ name, message, CancellationReasons = [] }: DynamoDbError, changes: readonly Change[]): void {
  const reasons = CancellationReasons.map(({ Code, Message = '' }, index) => ({ Code, Message, index }));
  const invalid =
    name === 'ValidationException'
      ? { Message: message, index: 0 }
      : reasons.find(({ Code }) => Code === 'ValidationError');
  if (invalid === undefined) return;
  const change = changes[invalid.index];
  if (change !== undefined && /item size/i.test(invalid.Message)) throw itemTooLarge(keyOf(change).pk);
  throw new TableUsageError(`DynamoDB finds change ${invalid.index} invalid: ${invalid.Message}`);
}

/** The error that leaves the store. `where` names the table and its endpoint. */
export function storeFault(error: unknown, where: string): unknown {
  const parsed = errorShape.safeParse(error);
  if (error instanceof GantryError || error instanceof TableUsageError || !parsed.success) return error;
  const { name, message, code = name } = parsed.data;
  if (isThrottled(parsed.data)) return throttlingFault(error);
  if (isTransient(parsed.data)) {
    return new GantryError('ServiceUnavailableException', `The store (${where}) does not answer: ${message || code}.`, {
      hint: 'Try again; what was asked for may have been done.',
      cause: error,
    });
  }
  return new GantryError('ServerException', `The store (${where}) refuses: ${name}: ${message}`, { cause: error });
}

export const throttlingFault = (cause?: unknown): GantryError =>
  new GantryError('ThrottlingException', 'The store is asked for more than it takes at present.', {
    hint: 'Try again in a moment.',
    cause,
  });
