/** The completion of bash (4.4 and later), without the package bash-completion: `source <(gantry completion bash)`. */
import type { Command } from '../command.ts';
import { type CommandWords, commandWords, groupWords, namingOptions, type Value } from './words.ts';

export function bashCompletion(commands: readonly Command[]): string {
  const words = commandWords(commands);
  const groups = groupWords(commands);
  return `# bash completion of gantry, made by \`gantry completion bash\`.

# What can stand there, as gantry itself knows or the control plane says; nothing where it does not answer.
_gantry_ask() {
  "\${words[0]}" complete "$1" "\${named[@]}" 2>/dev/null </dev/null | cut -f1
}

_gantry_commands() {
  case "$1" in
    '') printf '%s\\n' help ${groups.map(({ word }) => word).join(' ')} ;;
${groups
  .filter(({ seconds }) => seconds.length > 0)
  .map(({ word, seconds }) => `    ${word}) printf '%s\\n' ${seconds.map((second) => second.word).join(' ')} ;;`)
  .join('\n')}
  esac
}

# Options of a command; those that take a value end with =.
_gantry_options() {
  case "$1" in
${words.map(optionNames).join('\n')}
  esac
}

# Values of an option of a command.
_gantry_value() {
  case "$1 $2" in
${words.flatMap(optionValues).join('\n')}
  esac
}

# What can stand at a place behind a command, counted from 1.
_gantry_argument() {
  case "$1 $2" in
${words.flatMap(argumentValues).join('\n')}
  esac
}

${completer}
complete -F _gantry gantry
`;
}

function optionNames({ name, options }: CommandWords): string {
  const names = options.flatMap((option) => option.names.map((one) => (option.value === undefined ? one : `${one}=`)));
  return `    ${quoted(name)}) printf '%s\\n' ${names.join(' ')} ;;`;
}

function optionValues({ name, options }: CommandWords): string[] {
  return options.flatMap(({ names, value }) => {
    const shown = value === undefined ? undefined : valueCommand(value);
    const patterns = names.map((option) => quoted(`${name} ${option}`));
    return shown === undefined ? [] : [`    ${patterns.join(' | ')}) ${shown} ;;`];
  });
}

function argumentValues({ name, arguments: values }: CommandWords): string[] {
  return values.flatMap((value, index) => {
    const shown = valueCommand(value);
    const pattern = value.variadic ? `${quoted(`${name} `)}*` : quoted(`${name} ${index + 1}`);
    return shown === undefined ? [] : [`    ${pattern}) ${shown} ;;`];
  });
}

function valueCommand({ choices, completes }: Value): string | undefined {
  const parts = [
    ...(choices.length === 0 ? [] : [`printf '%s\\n' ${choices.map(quoted).join(' ')}`]),
    ...completes.map((one) => (one === 'file' ? '_gantry_files' : `_gantry_ask ${one}`)),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * Splits the line by itself: bash breaks words at \`:\` and \`=\`, of which \`web:3\` and \`--cluster=web\` have one. What is left of such
 * a break is taken off the answers again, since bash puts them behind it.
 */
const completer = `_gantry_files() {
  compopt -o filenames 2>/dev/null
  compgen -f -- "$value"
}

_gantry() {
  local IFS=$' \\t\\n' line="\${COMP_LINE:0:COMP_POINT}" words cur value prefix= command= place=1 taker= word i
  local -a named=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  cur="\${words[-1]}" value="$cur"
  local last=$((\${#words[@]} - 1)) first=2
  local options=
  if ((last >= 2)); then
    command="\${words[1]}"
    [[ $command == help ]] && words=("\${words[0]}" "\${words[@]:2}") last=$((last - 1)) command="\${words[1]}"
    if ((last >= 2)) && [[ -n $(_gantry_commands "$command") ]]; then
      ((last >= 3)) && command="$command \${words[2]}" first=3
    fi
    options="$(_gantry_options "$command")"
  fi
  for ((i = first; i < last; i++)); do
    word="\${words[i]}"
    if [[ -n $taker ]]; then
      [[ ' ${namingOptions.join(' ')} ' == *" $taker "* ]] && named+=("$taker" "$word")
      taker=
    elif [[ $word == -- ]]; then
      COMPREPLY=() && return
    elif [[ $word == -*=* ]]; then
      [[ ' ${namingOptions.join(' ')} ' == *" \${word%%=*} "* ]] && named+=("$word")
    elif [[ $word == -* ]]; then
      [[ $'\\n'"$options"$'\\n' == *$'\\n'"$word="$'\\n'* ]] && taker="$word"
    else
      ((place++))
    fi
  done
  local found=
  if ((last < first)) || [[ -z $options ]]; then
    if ((last == 1)); then found="$(_gantry_commands '')"; elif ((last == 2)); then found="$(_gantry_commands "$command")"; fi
  elif [[ -n $taker ]]; then
    found="$(_gantry_value "$command" "$taker")"
  elif [[ $cur == --*=* ]]; then
    prefix="\${cur%%=*}=" value="\${cur#*=}"
    found="$(_gantry_value "$command" "\${cur%%=*}")"
  elif [[ $cur == -* ]]; then
    found="\${options//=/}"
  else
    found="$(_gantry_argument "$command" "$place")"
  fi
  IFS=$'\\n'
  COMPREPLY=($(compgen -W "$found" -- "$value"))
  local broken="$prefix$value"
  broken="\${broken%"\${broken##*[:=]}"}"
  COMPREPLY=("\${COMPREPLY[@]/#/$prefix}")
  [[ $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("\${COMPREPLY[@]#"$broken"}")
  return 0
}`;
