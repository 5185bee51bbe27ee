/** What can stand where on a command line, from the commands' own data: what the scripts of all shells are made of. */
import { type ArgumentSpec, type Command, type Completion, globalOptions, type OptionSpec } from '../command.ts';

/** What a value can be. Neither choices nor completions: nobody knows. */
export interface Value {
  /** What stands for it in help. */
  readonly name: string;
  readonly choices: readonly string[];
  readonly completes: readonly Completion[];
}

export interface OptionWords {
  /** `--count`, and `-n` where it has a short name. */
  readonly names: readonly string[];
  readonly summary: string;
  readonly multiple: boolean;
  /** Absent where it takes none. */
  readonly value?: Value;
}

export interface ArgumentWords extends Value {
  readonly variadic: boolean;
}

export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionWords[];
  readonly arguments: readonly ArgumentWords[];
}

/** First words, and where a command has two, the second ones. */
export interface GroupWords {
  readonly word: string;
  readonly summary: string;
  readonly seconds: readonly { readonly word: string; readonly summary: string }[];
}

/** Options that say which control plane and which cluster is asked for what can stand there. */
export const namingOptions = ['--cluster', '-c', '--context', '--endpoint', '--region'] as const;

export const commandWords = (commands: readonly Command[]): CommandWords[] =>
  commands.map(({ name, summary, options, arguments: specs }) => ({
    name,
    summary,
    options: Object.entries<OptionSpec>({ ...options, ...globalOptions }).map(optionWords),
    arguments: specs.map(argumentWords),
  }));

export function groupWords(commands: readonly Command[]): GroupWords[] {
  const groups = new Map<string, GroupWords>();
  for (const { name, summary } of commands) {
    const [word = '', second] = name.split(' ');
    const seconds = groups.get(word)?.seconds ?? [];
    if (second === undefined) groups.set(word, { word, summary, seconds });
    else groups.set(word, { word, summary: '', seconds: [...seconds, { word: second, summary }] });
  }
  return [...groups.values()].map(({ word, summary, seconds }) => ({
    word,
    summary: summary || seconds.map((second) => second.word).join(', '),
    seconds,
  }));
}

function optionWords([name, spec]: readonly [string, OptionSpec]): OptionWords {
  const { short, summary, multiple = false, type, value = name.toUpperCase(), choices = [], completes = [] } = spec;
  return {
    names: [`--${name}`, ...(short === undefined ? [] : [`-${short}`])],
    summary,
    multiple,
    ...(type !== 'boolean' && { value: { name: value, choices, completes } }),
  };
}

const argumentWords = ({ name, variadic = false, choices = [], completes = [] }: ArgumentSpec): ArgumentWords => ({
  name: name.toUpperCase(),
  variadic,
  choices,
  completes,
});
