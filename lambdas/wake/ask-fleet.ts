/**
 * Tells the function that buys that tasks wait, without waiting for what it does (`Invoke`, asynchronously): only that function may buy.
 * One that could not be told looks by itself each minute.
 */
import type { ControlDeps } from '../../control/deps.ts';
import type { FleetCall } from '../fleet/handler.ts';
import { type Signing, signedPost } from '../signed-post.ts';

const patienceMs = 3000;

export interface FleetFunctionOptions extends Omit<Signing, 'service'> {
  readonly functionName: string;
  /** `https://lambda.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
}

export type AskFleet = (clusters: readonly string[]) => Promise<void>;

export function fleetAsker(
  { log, metrics }: Pick<ControlDeps, 'log' | 'metrics'>,
  { functionName, endpoint, ...signing }: FleetFunctionOptions,
): AskFleet {
  const url = new URL(`/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`, endpoint);
  const post = signedPost({ ...signing, service: 'lambda' });
  return async (clusters) => {
    const body = JSON.stringify({ clusters: [...clusters] } satisfies FleetCall);
    const headers = { 'content-type': 'application/json', 'x-amz-invocation-type': 'Event' };
    try {
      const status = await post(url, { body, headers, signal: AbortSignal.timeout(patienceMs) });
      if (status !== 202) throw new Error(`Lambda answered ${status}`);
    } catch (error) {
      log.error(
        { err: error, clusters, functionName },
        'the function that buys hosts could not be told; it looks each minute',
      );
      metrics.count('LoopFailed', 1, { loop: 'buy-capacity' });
    }
  };
}

/** Where nothing can be bought. */
export const noFleet: AskFleet = async () => {};
