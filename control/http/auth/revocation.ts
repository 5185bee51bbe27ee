/**
 * What a key reads for long (streams) ends when the key is revoked, as its next request would: looked at in the store every few seconds,
 * past what is remembered of keys, so that it is over within ten seconds here too.
 */
import { GantryError } from '../../../core/errors.ts';
import type { OperationContext } from '../../operations/context.ts';
import { getAccessKey } from '../../store/access-keys.ts';

const lookMs = 5000;

/** `open` ends when its signal fires. Ends itself with UnrecognizedClientException where the key is gone; IAM's principals have none. */
export async function* whileKeyIsThere<T>(
  context: Pick<OperationContext, 'deps' | 'principal'>,
  closed: AbortSignal,
  open: (signal: AbortSignal) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const over = new AbortController();
  const signal = AbortSignal.any([closed, over.signal]);
  const looking = untilRevoked(context, signal).then((isRevoked) => {
    if (isRevoked) over.abort();
    return isRevoked;
  });
  try {
    yield* open(signal);
  } finally {
    over.abort();
  }
  if (await looking)
    throw new GantryError('UnrecognizedClientException', 'The key that this was asked for with has been revoked.');
}

/** False where the signal fires first. */
async function untilRevoked(
  { deps, principal: { accessKeyId } }: Pick<OperationContext, 'deps' | 'principal'>,
  signal: AbortSignal,
): Promise<boolean> {
  while (accessKeyId !== undefined && !signal.aborted) {
    await deps.sleep(lookMs, signal);
    if (!signal.aborted && !(await isThere(deps, accessKeyId))) return true;
  }
  return false;
}

/** A store that does not answer revokes nothing. */
async function isThere({ table, log }: OperationContext['deps'], accessKeyId: string): Promise<boolean> {
  try {
    return (await getAccessKey(table, accessKeyId)) !== undefined;
  } catch (error) {
    log.warn({ err: error, accessKeyId }, 'it is not known whether a key is still there');
    return true;
  }
}
