/** docs/cli.md: every command as `gantry COMMAND --help` shows it, and what holds for all of them. */
import { type Command, type CommandGroup, documentedExitCodes, globalOptions, type OptionSpec } from './command.ts';
import { optionRows, usageLine } from './help.ts';

export function commandsPage(groups: readonly CommandGroup[]): string {
  return [
    '# The command line',
    'Generated from the commands in `cli/commands/` by `npm run generate`. `gantry COMMAND --help` says the same on a terminal.',
    [
      'Standard output carries the result, standard error what happens meanwhile. On a terminal times are relative and progress redraws;',
      'elsewhere the output is plain text with absolute times; `--json` prints one object, or one a line where it is a stream.',
      'An error says what is wrong, why, and what to do; with `--json` it is `{"error": {"code", "message", "field", "hint"}}`.',
    ].join('\n'),
    ...groups.map(contents),
    '## Options of every command',
    optionTable(globalOptions),
    '## Exit codes',
    table(['code', 'meaning'], documentedExitCodes),
    ...groups.flatMap(({ title, commands }) => [`## ${title}`, ...commands.map(commandSection)]),
  ].join('\n\n');
}

const contents = ({ title, commands }: CommandGroup): string =>
  [
    `**${title}**`,
    '',
    ...commands.map(
      ({ name, summary }) => `* [\`${name}\`](#gantry-${name.replaceAll(' ', '-')}): ${escaped(summary)}`,
    ),
  ].join('\n');

function commandSection(command: Command): string {
  const { name, summary, details = [], options, rest, examples } = command;
  const argumentRows = [
    ...command.arguments.map((argument) => [code(argument.name.toUpperCase()), escaped(argument.summary)]),
    ...(rest === undefined ? [] : [[code('-- …'), escaped(rest)]]),
  ];
  return [
    `### gantry ${name}`,
    [summary, ...details].map((paragraph) => `${escaped(paragraph).replace(/\.$/, '')}.`).join('\n\n'),
    fenced([usageLine(command)]),
    ...(argumentRows.length === 0 ? [] : [table(['argument', ''], argumentRows)]),
    ...(Object.keys(options).length === 0 ? [] : [optionTable(options)]),
    examples.length === 1 ? 'Example:' : 'Examples:',
    fenced(examples),
  ].join('\n\n');
}

const optionTable = (options: Readonly<Record<string, OptionSpec>>): string =>
  table(
    ['option', ''],
    optionRows(options).map(([names = '', summary = '']) => [code(names.trim()), escaped(summary)]),
  );

const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Also within code a bar would end the cell. */
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

const fenced = (lines: readonly string[]): string => ['```sh', ...lines, '```'].join('\n');
