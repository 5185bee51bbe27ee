/** What the parts of the path share. */
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import type { EcsClient } from './ecs-client.ts';

/** Other than `default`, which is there without having been made. */
export const cluster = 'life';
export const arn = (resource: string) => `arn:aws:ecs:us-east-1:000000000000:${resource}`;
/** The id of nothing. */
export const none = 'a'.repeat(32);

export interface Life extends EcsClient {
  /** The only host of the cluster. */
  readonly host: ScriptedHost;
  /** Of RunTask and StartTask. */
  readonly tasks: string[];
  /** The client's own name of the refusal, and its words. */
  refusalOf(operation: string, input?: object): Promise<{ readonly code: string; readonly message: string }>;
}
