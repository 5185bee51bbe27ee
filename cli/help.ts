/** Help texts, from the commands' own descriptions. */
import { type Command, globalOptions, type OptionSpec } from './command.ts';
import { alignColumns } from './output.ts';

export function helpOf(command: Command): string {
  const own = optionRows(command.options);
  return [
    command.summary,
    '',
    `Usage: ${usageLine(command)}`,
    ...section(
      'Arguments',
      command.arguments.map((argument) => [argument.name.toUpperCase(), argument.summary]),
    ),
    ...(command.rest === undefined ? [] : section('After --', [['…', command.rest]])),
    ...section('Options', own),
    ...section('Options of every command', optionRows(globalOptions)),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n');
}

export function helpOfAll(commands: readonly Command[]): string {
  return [
    'Gantry runs containers on Linux hosts and speaks Amazon ECS.',
    '',
    'Usage: gantry COMMAND …',
    ...section(
      'Commands',
      commands.map((command) => [command.name, command.summary]),
    ),
    ...section('Options of every command', optionRows(globalOptions)),
    ...section('Exit codes', [
      ['0', 'done'],
      ['1', 'wrong usage, or it failed'],
      ['2', 'a task was not placed'],
      ['4', 'there is no such thing'],
      ['130', 'interrupted by Ctrl-C'],
      ['run --wait', "the container's own; 122 not placed, 124 took too long, 125 Gantry failed"],
    ]),
    '',
    'More: gantry COMMAND --help',
  ].join('\n');
}

/** Of commands whose names begin with the same word. */
export const helpOfGroup = (name: string, group: readonly Command[]): string =>
  [
    `Usage: gantry ${name} COMMAND …`,
    ...section(
      'Commands',
      group.map((command) => [command.name, command.summary]),
    ),
    '',
    'More: gantry COMMAND --help',
  ].join('\n');

function usageLine(command: Command): string {
  const args = command.arguments.map(({ name, required, variadic }) => {
    const shown = `${name.toUpperCase()}${variadic === true ? '…' : ''}`;
    return required === true ? shown : `[${shown}]`;
  });
  return ['gantry', command.name, ...args, '[OPTIONS]', ...(command.rest === undefined ? [] : ['[-- …]'])].join(' ');
}

const optionRows = (options: Readonly<Record<string, OptionSpec>>): string[][] =>
  Object.entries(options).map(([name, { short, value, choices, summary, multiple }]) => {
    const shown = choices?.join('|') ?? value;
    const names = `${short === undefined ? '    ' : `-${short}, `}--${name}${shown === undefined ? '' : ` ${shown}`}`;
    return [names, multiple === true ? `${summary} (may be repeated)` : summary];
  });

const section = (title: string, rows: readonly string[][]): string[] =>
  rows.length === 0 ? [] : ['', `${title}:`, ...alignColumns(rows).map((line) => `  ${line}`)];
