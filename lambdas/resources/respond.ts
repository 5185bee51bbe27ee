/** Puts the answer at the address that CloudFormation gave: without one it waits an hour, so this is tried hard. */
import type { ControlDeps } from '../../control/deps.ts';

export interface ResourceResponse {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly Data?: Readonly<Record<string, string>>;
}

export type Respond = (url: string, response: ResourceResponse) => Promise<void>;

const tries = 5;
const timeoutMs = 5000;

/** Throws where it cannot be put: Lambda then calls again, and every kind of resource may be asked twice. */
export const respondByPut =
  ({ sleep, log }: Pick<ControlDeps, 'sleep' | 'log'>): Respond =>
  async (url, response) => {
    // As bytes, because fetch gives text a content type, which is not what the address was signed for.
    const body = Buffer.from(JSON.stringify(response));
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await fetch(url, { method: 'PUT', body, signal: AbortSignal.timeout(timeoutMs) });
        await answer.body?.cancel();
        if (answer.ok) return;
        throw new Error(`CloudFormation's address answered ${answer.status}`);
      } catch (error) {
        if (attempt === tries) throw error;
        log.warn({ err: error, attempt }, 'the answer to CloudFormation could not be put; it is tried again');
        await sleep(200 * 2 ** attempt);
      }
    }
  };
