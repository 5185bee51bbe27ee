/** The completion of zsh, by its own `_arguments`: `source <(gantry completion zsh)` behind compinit. */
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

export function zshCompletion(commands: readonly Command[]): string {
  const groups = groupWords(commands).filter(({ seconds }) => seconds.length > 0);
  return `#compdef gantry
# zsh completion of gantry, made by \`gantry completion zsh\`.

${askFunction}

_gantry_commands() {
  local -a commands
  case "$1" in
    '') commands=(${groupWords(commands)
      .map(({ word, summary }) => described(word, summary))
      .join(' ')}) ;;
${groups.map(({ word, seconds }) => `    ${word}) commands=(${seconds.map((second) => described(second.word, second.summary)).join(' ')}) ;;`).join('\n')}
  esac
  (( $#commands )) && _describe command commands
}

_gantry_command() {
  case "$1" in
${commandWords(commands).map(commandCase).join('\n')}
  esac
}

${entryFunction(groups.map(({ word }) => word).join('|'))}
`;
}

const askFunction = `# What can stand there, as gantry itself knows or the control plane says; nothing where it does not answer.
_gantry_ask() {
  local tab=$'\\t'
  local -a candidates=("\${(@f)$("$gantry_program" complete $1 $gantry_named 2>/dev/null </dev/null)}")
  candidates=("\${candidates[@]//:/\\\\:}")
  candidates=("\${candidates[@]/$tab/:}")
  _describe -V "$1" candidates
}`;

const joinedNaming = namingOptions.filter((name) => name.startsWith('--')).map((name) => `${name}=*`);

/** `groups`: first words of commands of two. */
const entryFunction = (groups: string): string => `_gantry() {
  local gantry_program="$words[1]" i name="$words[2]"
  local -a gantry_named
  for ((i = 2; i < CURRENT; i++)); do
    case "$words[i]" in
      (${namingOptions.join('|')}) (( i + 1 < CURRENT )) && gantry_named+=("$words[i]" "$words[i+1]") ;;
      (${joinedNaming.join('|')}) gantry_named+=("$words[i]") ;;
    esac
  done
  if (( CURRENT == 2 )); then
    _gantry_commands ''
    return
  fi
  case "$name" in
    (${groups})
      if (( CURRENT == 3 )); then
        _gantry_commands "$name"
        return
      fi
      name="$name $words[3]"
      shift words
      (( CURRENT-- ))
      ;;
  esac
  shift words
  (( CURRENT-- ))
  _gantry_command "$name"
}

if [[ "$funcstack[1]" == _gantry ]]; then _gantry "$@"; else compdef _gantry gantry; fi`;

function commandCase({ name, options, arguments: values }: CommandWords): string {
  const specs = [...options.flatMap(optionSpecs), ...values.map(argumentSpec)];
  return `    ${quoted(name)})\n      _arguments -s ${specs.map((spec) => `\\\n        ${quoted(spec)}`).join(' ')}\n      ;;`;
}

function optionSpecs({ names, summary, multiple, value }: OptionWords): string[] {
  return names.map((name) => {
    const once = multiple ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
    const separator = value === undefined ? '' : name.startsWith('--') ? '=' : '+';
    return `${once}${name}${separator}[${escaped(summary)}]${value === undefined ? '' : valueSpec(value)}`;
  });
}

const argumentSpec = (argument: ArgumentWords, index: number): string =>
  `${argument.variadic ? '*' : index + 1}${valueSpec(argument)}`;

function valueSpec({ name, choices, completes }: Value): string {
  const asked = completes.map((one) => (one === 'file' ? '_files' : `_gantry_ask ${one}`)).join('; ');
  const action = choices.length > 0 ? `(${choices.join(' ')})` : asked === '' ? ' ' : `{${asked}}`;
  return `:${escaped(name)}:${action}`;
}

const described = (word: string, summary: string): string => quoted(`${word}:${summary}`);

/** What ends a description, or a part of a specification. */
const escaped = (text: string): string => text.replaceAll(/[\\[\]:]/g, '\\$&');

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
