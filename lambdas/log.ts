/** The control plane's log by Powertools: one line of JSON each, with the ids of the invocation that it belongs to. */
import { inspect } from 'node:util';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from '../control/deps.ts';
import type { CommonEnvironment } from './environment.ts';

/** What Lambda says about an invocation. */
export type Context = Omit<LoggedContext, 'coldStart'> & { getRemainingTimeInMillis(): number };
type LoggedContext = Extract<Parameters<Logger['addContext']>[0], { coldStart: boolean }>;

export interface InvocationLog extends Log {
  /** From here on lines carry this invocation's request id. */
  begin(context: Context): void;
}

export function openLog({ GANTRY_LOG_LEVEL }: Pick<CommonEnvironment, 'GANTRY_LOG_LEVEL'>): InvocationLog {
  const logger = new Logger({ logLevel: GANTRY_LOG_LEVEL });
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (about: object, message: string): void =>
      logger[level](message, membersOf(about));
  return {
    // Whether the start was cold, Powertools knows by itself.
    begin: (context) => logger.addContext({ ...context, coldStart: false }),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}

/** The control plane names an error `err`, Powertools `error`. */
function membersOf(about: object): Record<string, unknown> {
  const { err, ...members }: { err?: unknown } = about;
  if (err === undefined) return members;
  return { ...members, error: err instanceof Error ? err : new Error(inspect(err)) };
}
