/**
 * A command is data: name, summary, arguments, options, example and handler. Help, parsing, documentation and completion come from
 * the same object; a handler never looks at argv, the environment or the terminal itself.
 */
import type { CommandContext } from './context.ts';

/** What the control plane, the machine or the file of contexts can say of a value while it is typed. */
export const completions = ['cluster', 'task', 'family', 'revision', 'host', 'context', 'file'] as const;
export type Completion = (typeof completions)[number];

export interface OptionSpec {
  readonly type: 'boolean' | 'string' | 'integer';
  readonly short?: string;
  /** What stands for the value in help, for example `N`. Absent for booleans. */
  readonly value?: string;
  readonly summary: string;
  /** The only values that it takes. */
  readonly choices?: readonly string[];
  readonly completes?: readonly Completion[];
  /** Of an integer, both inclusive. */
  readonly min?: number;
  readonly max?: number;
  /** May be given several times; the handler gets an array. */
  readonly multiple?: boolean;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly summary: string;
  readonly required?: boolean;
  /** Takes all that are left. Only the last one. */
  readonly variadic?: boolean;
  readonly choices?: readonly string[];
  readonly completes?: readonly Completion[];
}

type Options = Readonly<Record<string, OptionSpec>>;

type SingleValue<Spec extends OptionSpec> = Spec['type'] extends 'boolean'
  ? boolean
  : Spec['type'] extends 'integer'
    ? number
    : string;

export type OptionValues<O extends Options> = {
  readonly [Name in keyof O]?: O[Name] extends { multiple: true }
    ? readonly SingleValue<O[Name]>[]
    : SingleValue<O[Name]>;
};

export interface Invocation<O extends Options = Options> {
  readonly args: readonly string[];
  readonly options: OptionValues<O>;
  /** What stands after `--`. */
  readonly rest: readonly string[];
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  readonly summary: string;
  /** What the summary leaves out, in paragraphs. */
  readonly details?: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly options: O;
  /** What `-- …` means, where the command takes it. */
  readonly rest?: string;
  readonly examples: readonly string[];
  /** Answers the exit code. */
  readonly run: (context: CommandContext, invocation: Invocation<O>) => Promise<number>;
}

/** What stands together in `gantry --help` and in docs/cli.md. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

/** Keeps the types of the options for the handler, and forgets them for the list of commands. */
export const defineCommand = <const O extends Options>(command: Command<O>): Command => command as Command;

/** Options that every command takes. */
export const globalOptions = {
  json: { type: 'boolean', summary: 'Print JSON on standard output: one object, or one a line where it is a stream' },
  cluster: {
    type: 'string',
    short: 'c',
    value: 'NAME',
    summary: "The cluster (default: $GANTRY_CLUSTER, the context's, or default)",
    completes: ['cluster'],
  },
  context: {
    type: 'string',
    value: 'NAME',
    summary: 'The control plane that `gantry login` has kept by this name; local is the cloud on this machine',
    completes: ['context'],
  },
  endpoint: {
    type: 'string',
    value: 'URL',
    summary: 'The control plane (default: $GANTRY_ENDPOINT, the context in use, or the cloud on this machine)',
  },
  region: { type: 'string', value: 'NAME', summary: 'The region that requests are signed for' },
  help: { type: 'boolean', short: 'h', summary: 'Print this help' },
} as const satisfies Options;

/** In `gantry --help` and docs/cli.md; each error brings its own (core/errors.ts). */
export const exitCodes = {
  ok: 0,
  /** Wrong usage, or an error of our own or of the control plane. */
  failed: 1,
  notPlaced: 2,
  timeout: 3,
  /** By Ctrl-C, as shells have it. */
  interrupted: 130,
} as const;

/** `gantry run --wait` ends with the container's own exit code; these three are kept for us, as docker and timeout keep theirs. */
export const runExitCodes = { notPlaced: 122, timeout: 124, gantryFailed: 125 } as const;

export const documentedExitCodes: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done'],
  ['1', 'wrong usage, or it failed'],
  ['2', 'a task was not placed'],
  ['3', 'it took longer than --timeout'],
  ['4', 'there is no such thing'],
  ['130', 'interrupted by Ctrl-C'],
  ['run --wait', "the container's own; 122 not placed, 124 took too long, 125 Gantry failed"],
];
