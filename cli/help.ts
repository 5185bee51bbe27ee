/** Help texts, from the commands' own descriptions. */
import { type Command, type CommandGroup, documentedExitCodes, globalOptions, type OptionSpec } from './command.ts';
import { alignColumns } from './output.ts';

export function helpOf(command: Command): string {
  const own = optionRows(command.options);
  return [
    command.summary,
    ...(command.details ?? []).flatMap((paragraph) => ['', ...wrapped(paragraph)]),
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

export function helpOfAll(groups: readonly CommandGroup[]): string {
  const names = groups.flatMap(({ commands }) => commands.map(({ name }) => name));
  // One width for all groups: what is looked for is in one column.
  const width = Math.max(...names.map(({ length }) => length));
  return [
    'Gantry runs containers on Linux hosts and speaks Amazon ECS.',
    '',
    'Usage: gantry COMMAND …',
    ...groups.flatMap(({ title, commands }) =>
      section(
        title,
        commands.map(({ name, summary }) => [name.padEnd(width), summary]),
      ),
    ),
    ...section('Options of every command', optionRows(globalOptions)),
    ...section('Exit codes', documentedExitCodes),
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

export function usageLine(command: Command): string {
  const args = command.arguments.map(({ name, required, variadic }) => {
    const shown = `${name.toUpperCase()}${variadic === true ? '…' : ''}`;
    return required === true ? shown : `[${shown}]`;
  });
  return ['gantry', command.name, ...args, '[OPTIONS]', ...(command.rest === undefined ? [] : ['[-- …]'])].join(' ');
}

export const optionRows = (options: Readonly<Record<string, OptionSpec>>): string[][] =>
  Object.entries(options).map(([name, { short, value, choices, summary, multiple }]) => {
    const shown = choices?.join('|') ?? value;
    const names = `${short === undefined ? '    ' : `-${short}, `}--${name}${shown === undefined ? '' : ` ${shown}`}`;
    return [names, multiple === true ? `${summary} (may be repeated)` : summary];
  });

const section = (title: string, rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0 ? [] : ['', `${title}:`, ...alignColumns(rows).map((line) => `  ${line}`)];

const paragraphColumns = 100;

/** By words, for paragraphs: a terminal breaks them anywhere. */
function wrapped(paragraph: string): string[] {
  const lines: string[] = [];
  for (const word of paragraph.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= paragraphColumns) lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines;
}
