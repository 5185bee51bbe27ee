/** What a command is given: a client, a place to print, and the one-machine cloud, so that it needs nothing else of the world. */
import type { Client } from '../client/client.ts';
import type { Credentials } from '../client/signer.ts';
import type { HostSelf } from '../core/host-protocol.ts';
import type { Asker } from './ask.ts';
import type { Command } from './command.ts';
import type { Context } from './contexts/book.ts';
import type { ContextFile } from './contexts/disk.ts';
import type { Output } from './output.ts';

/** What `local` does for the command line; handed in by bin, because the command line knows the API alone. */
export interface LocalCloud extends HostHere {
  /** Checks, starts and supervises; resolves when told to end by the signal. Options are checked by name. */
  up(options: Readonly<Record<string, unknown>>, events: UpEvents, signal: AbortSignal): Promise<void>;
  /** Starts `gantry up` in the background and resolves when it is ready. Where it throws, nothing that it started is left. */
  upDetached(options: Readonly<Record<string, unknown>>, events: UpEvents, signal: AbortSignal): Promise<void>;
  /** Whether there are data of a cloud already, which a purge would take away with those made since. */
  hasData(options: Readonly<Record<string, unknown>>): boolean;
  down(options: Readonly<Record<string, unknown>>, say: (line: string) => void): Promise<void>;
  /** Whether this machine can be a cloud, and the state of the one that is on it. */
  examine(options: Readonly<Record<string, unknown>>): Promise<readonly Finding[]>;
  /** Says that its store was put back from a backup; refused while a control plane has it. */
  restored(
    options: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly epoch: string; readonly before: string; readonly hosts: number }>;
  /** Copies a store that nobody uses into another; what broke off is gone on with. */
  copyStore(
    options: Readonly<Record<string, unknown>>,
    progress: (progress: { readonly phase: string; readonly items: number }) => void,
    signal: AbortSignal,
  ): Promise<StoreCopied>;
  /** An image that a host of this machine can pull: `wanted` where its registry can be reached, else one made of the machine's busybox. */
  helloImage(
    wanted: string,
    options: Readonly<Record<string, unknown>>,
    say: (line: string) => void,
  ): Promise<AsyncDisposable & { readonly reference: string }>;
}

/** This machine as a host of a control plane elsewhere. Options are checked by name. */
interface HostHere {
  /** In the foreground it resolves when the signal has fired, else once the host may be given tasks. */
  join(
    wanted: {
      readonly places: Readonly<Record<string, unknown>>;
      readonly said: Readonly<Record<string, unknown>>;
      readonly token?: string | undefined;
      readonly certificateAuthority?: string | undefined;
      readonly foreground: boolean;
      readonly install: boolean;
    },
    events: { readonly say: (line: string) => void; readonly ready: (host: HostSelf) => void },
    signal: AbortSignal,
  ): Promise<void>;
  leave(
    wanted: { readonly places: Readonly<Record<string, unknown>>; readonly force: boolean; readonly purge: boolean },
    say: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
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

export interface StoreCopied {
  readonly from: string;
  readonly to: string;
  readonly items: number;
  readonly hosts: number;
  /** The file with the key that opens its secrets, where it went along. */
  readonly dataKey?: string;
  /** What is left to do so that the copy opens its secrets. */
  readonly secrets?: string;
}

/** A one-machine cloud that the caller may use. */
export interface CloudHere {
  readonly endpoint: string;
  readonly client: Client;
  /** Which is not that of a context in use, because this is not the control plane of that one. */
  readonly cluster: string;
  /** Variables that point an ECS client at it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where it speaks TLS: of the authority that its own certificate is from, and where that is. */
  readonly tls?: { readonly pin: string; readonly certificateAuthorityFile: string };
}

/** The contexts that are kept on this machine. */
export interface Contexts extends ContextFile {
  /** Where a command goes that names nothing: the context's name where it is one, and what says so. */
  readonly inEffect: () => { readonly name?: string; readonly by?: string };
  readonly clientOf: (context: Context) => Client;
  /** For which requests to it are signed where nobody says. */
  readonly regionFor: (endpoint: string) => string;
}

export interface CommandContext {
  /** The client of the control plane that was named. Throws a GantryError that says how to name one. */
  readonly client: () => Client;
  /** Variables for an ECS client that signs with this key of the same control plane. */
  readonly environmentFor: (key: Credentials) => Readonly<Record<string, string>>;
  readonly cluster: string;
  readonly out: Output;
  /** All that there are. */
  readonly commands: readonly Command[];
  readonly local: LocalCloud;
  /** The cloud on this machine whose runtime files are in `runDir` (the usual place where absent), if there is one. */
  readonly cloudHere: (runDir: string | undefined) => CloudHere | undefined;
  /** Where GANTRY_RUN_DIR says that the cloud on this machine has its runtime files. */
  readonly runDir: string | undefined;
  /** The region that --region names. */
  readonly region: string | undefined;
  /** What --endpoint and --cluster name. */
  readonly named: { readonly endpoint?: string; readonly cluster?: string };
  readonly contexts: Contexts;
  /** Asks whoever calls, on standard error. */
  readonly openAsker: () => Asker;
  readonly readFile: (path: string) => Promise<string>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}
