/** What the fuzzer tells the process that it fuzzes, and the talk with it: one thing after the other. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Credentials } from '../../../client/signer.ts';
import type { Pool } from './values.ts';

/** A request as it goes over the wire. */
export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** What the server's clock says. */
  readonly at: number;
  /** Only the second of two is told of. */
  readonly twice: boolean;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Keys of items that it wrote, but for what tells of calls. */
  readonly written: readonly string[];
  /** What went wrong inside. */
  readonly faults: readonly string[];
}

export interface Memory {
  /** Bytes that are held. */
  readonly heapUsed: number;
  /** Resident, less what of the store is in its cache: that has a bound of its own, and the store grows. */
  readonly rss: number;
}

export type Told =
  | { readonly kind: 'open' | 'tend' | 'measure' | 'close' }
  | { readonly kind: 'ask'; readonly requests: readonly Sent[] };

export interface FuzzedServer extends AsyncDisposable {
  readonly keys: readonly Credentials[];
  /** Of its clock when it was started. */
  readonly now: number;
  /** Makes sure that there is something to ask for, and answers what. */
  tend(): Promise<Pool>;
  ask(requests: readonly Sent[]): Promise<readonly Answered[]>;
  measure(): Promise<Memory>;
}

export async function startFuzzedServer(): Promise<FuzzedServer> {
  const entry = fileURLToPath(new URL('server.ts', import.meta.url));
  const child: ChildProcess = fork(entry, {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    // One arena, and large pieces by themselves: otherwise it is chance how much of what is free is given back.
    env: {
      ...process.env,
      MALLOC_ARENA_MAX: '1',
      MALLOC_MMAP_THRESHOLD_: '65536',
      MALLOC_TRIM_THRESHOLD_: '65536',
    },
  });
  async function tell<T>(told: Told): Promise<T> {
    const gone = Promise.withResolvers<never>();
    const onExit = (code: number | null) => gone.reject(new Error(`the server has ended (${code})`));
    child.once('exit', onExit);
    child.send(told);
    try {
      const [{ said }] = await Promise.race([once(child, 'message'), gone.promise]);
      return said;
    } finally {
      child.off('exit', onExit);
    }
  }
  const { keys, now } = await tell<Pick<FuzzedServer, 'keys' | 'now'>>({ kind: 'open' });
  return {
    keys,
    now,
    tend: () => tell({ kind: 'tend' }),
    ask: (requests) => tell({ kind: 'ask', requests }),
    measure: () => tell({ kind: 'measure' }),
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit');
      await tell({ kind: 'close' });
      await exit;
    },
  };
}
