/** What a command is given: a client, a place to print, and the one-machine cloud, so that it needs nothing else of the world. */
import type { Client } from '../client/client.ts';
import type { Output } from './output.ts';

/** What `local` does for the command line; handed in by bin, because the command line knows the API alone. */
export interface LocalCloud {
  /** Checks, starts and supervises; resolves when told to end by the signal. Options are checked by name. */
  up(options: Readonly<Record<string, unknown>>, events: UpEvents, signal: AbortSignal): Promise<void>;
  /** Starts `gantry up` in the background and answers when it is ready. */
  upDetached(options: Readonly<Record<string, unknown>>, events: UpEvents): Promise<void>;
  down(options: Readonly<Record<string, unknown>>, say: (line: string) => void): Promise<void>;
  /** Whether this machine can be a cloud, and the state of the one that is on it. */
  examine(options: Readonly<Record<string, unknown>>): Promise<readonly Finding[]>;
  /** An image that a host of this machine can pull: `wanted` where its registry can be reached, else one made of the machine's busybox. */
  helloImage(
    wanted: string,
    options: Readonly<Record<string, unknown>>,
    say: (line: string) => void,
  ): Promise<AsyncDisposable & { readonly reference: string }>;
}

export interface UpEvents {
  readonly say: (line: string) => void;
  readonly ready: () => Promise<void> | void;
}

export interface Finding {
  readonly subject: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; only where it is not ok. */
  readonly advice?: string;
}

export interface CommandContext {
  /** The client of the control plane that was named. Throws a GantryError that says how to name one. */
  readonly client: () => Client;
  readonly cluster: string;
  readonly out: Output;
  readonly local: LocalCloud;
  /** Environment lines that point an ECS client at this control plane, as shown by `gantry up`. */
  readonly environment: () => readonly string[];
  readonly readFile: (path: string) => Promise<string>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}
