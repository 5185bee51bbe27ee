/** The completion of fish: `gantry completion fish > ~/.config/fish/completions/gantry.fish`. */
import type { Command } from '../command.ts';
import {
  type ArgumentWords,
  type CommandWords,
  commandWords,
  groupWords,
  namingOptions,
  type OptionWords,
  type Value,
} from './words.ts';

export function fishCompletion(commands: readonly Command[]): string {
  const groups = groupWords(commands);
  return `# fish completion of gantry, made by \`gantry completion fish\`.

${functions}

complete -c gantry -f
${[
  ...groups.map(({ word, summary }) => offered('__gantry_next', quoted(word), summary)),
  ...groups.flatMap(({ word, seconds }) =>
    seconds.map((second) => offered(`__gantry_next ${word}`, quoted(second.word), second.summary)),
  ),
  ...commandWords(commands).flatMap(ofCommand),
].join('\n')}
`;
}

const joinedNaming = namingOptions.filter((name) => name.startsWith('--')).map((name) => `'${name}=*'`);

const functions = `# Whether the line begins with these words and nothing else is between them.
function __gantry_begins
    set -l words (commandline -opc)
    set -l last (math (count $argv) + 1)
    test (count $words) -ge $last; or return 1
    test $last -eq 1; or test "$words[2..$last]" = "$argv"
end

# Whether the next word is the one behind these.
function __gantry_next
    test (count (commandline -opc)) -eq (math (count $argv) + 1); and __gantry_begins $argv
end

# What can stand there, as gantry itself knows or the control plane says; nothing where it does not answer.
function __gantry_ask
    set -l words (commandline -opc)
    set -l named
    for i in (seq 2 (count $words))
        switch $words[$i]
            case ${namingOptions.join(' ')}
                test $i -lt (count $words); and set -a named $words[$i] $words[(math $i + 1)]
            case ${joinedNaming.join(' ')}
                set -a named $words[$i]
        end
    end
    $words[1] complete $argv[1] $named 2>/dev/null </dev/null
end`;

const ofCommand = ({ name, options, arguments: values }: CommandWords): string[] => [
  ...options.map((option) => optionLine(name, option)),
  ...values.flatMap((value) => argumentLine(name, value)),
];

function optionLine(name: string, { names, summary, value }: OptionWords): string {
  const shown = names.map((one) => (one.startsWith('--') ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`));
  return `complete -c gantry -n ${quoted(`__gantry_begins ${name}`)} ${shown.join(' ')}${valueFlags(value)} -d ${quoted(summary)}`;
}

function valueFlags(value: Value | undefined): string {
  if (value === undefined) return '';
  if (value.completes.includes('file')) return ' -r -F';
  const candidates = candidatesOf(value);
  return candidates === undefined ? ' -x' : ` -x -a ${candidates}`;
}

function argumentLine(name: string, value: ArgumentWords): string[] {
  const condition = `__gantry_begins ${name}`;
  const candidates = candidatesOf(value);
  return [
    ...(value.completes.includes('file') ? [`complete -c gantry -n ${quoted(condition)} -F`] : []),
    ...(candidates === undefined ? [] : [`complete -c gantry -n ${quoted(condition)} -a ${candidates}`]),
  ];
}

function candidatesOf({ choices, completes }: Value): string | undefined {
  const asked = completes.filter((one) => one !== 'file').map((one) => `(__gantry_ask ${one})`);
  const all = [...choices, ...asked];
  return all.length === 0 ? undefined : quoted(all.join(' '));
}

const offered = (condition: string, candidates: string, summary: string): string =>
  `complete -c gantry -n ${quoted(condition)} -a ${candidates} -d ${quoted(summary)}`;

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
