/** From argv to an Invocation, by the command's own description. Errors name the option and what would be right. */
import { parseArgs } from 'node:util';
import { GantryError } from '../core/errors.ts';
import { type Command, globalOptions, type Invocation, type OptionSpec, type OptionValues } from './command.ts';

export interface Parsed {
  readonly invocation: Invocation;
  readonly global: OptionValues<typeof globalOptions>;
}

export function parseInvocation(command: Command, argv: readonly string[]): Parsed {
  const split = argv.indexOf('--');
  const rest = split === -1 ? [] : argv.slice(split + 1);
  if (rest.length > 0 && command.rest === undefined) throw usage(command, 'it takes nothing after --');
  const specs: Record<string, OptionSpec> = { ...command.options, ...globalOptions };
  const { values, positionals } = tokens(command, specs, split === -1 ? argv : argv.slice(0, split));
  const options: Record<string, unknown> = {};
  const global: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const spec = specs[name];
    if (spec === undefined || value === undefined) continue;
    // A handler gets its own options alone: many go out as they are.
    const into = name in globalOptions ? global : options;
    into[name] = Array.isArray(value)
      ? value.map((one) => convert(command, name, spec, one))
      : convert(command, name, spec, value);
  }
  if (global.help !== true) checkArguments(command, positionals);
  return {
    invocation: { args: positionals, options: options as Invocation['options'], rest },
    global: global as Parsed['global'],
  };
}

function tokens(command: Command, specs: Record<string, OptionSpec>, argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      allowNegative: false,
      options: Object.fromEntries(
        Object.entries(specs).map(([name, spec]) => [
          name,
          {
            type: spec.type === 'boolean' ? ('boolean' as const) : ('string' as const),
            ...(spec.short !== undefined && { short: spec.short }),
            ...(spec.multiple === true && { multiple: true }),
          },
        ]),
      ),
    });
  } catch (error) {
    // parseArgs' first sentence names the option; the rest explains `--` to programmers.
    const message = error instanceof Error ? error.message : String(error);
    throw usage(command, (message.split(/\.\s/)[0] ?? message).replace(/\.$/, ''));
  }
}

function convert(command: Command, name: string, spec: OptionSpec, value: string | boolean): string | boolean | number {
  if (typeof value === 'boolean') return value;
  if (spec.choices !== undefined && !spec.choices.includes(value))
    throw usage(command, `--${name} takes ${spec.choices.join(' or ')}, not '${value}'`);
  return spec.type === 'integer' ? wholeNumber(command, name, spec, value) : value;
}

function wholeNumber(command: Command, name: string, { min, max }: OptionSpec, value: string): number {
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= (min ?? Number.MIN_SAFE_INTEGER) && number <= (max ?? Number.MAX_SAFE_INTEGER)) return number;
  const range = max === undefined ? (min === undefined ? '' : ` of at least ${min}`) : ` from ${min ?? 0} to ${max}`;
  throw usage(command, `--${name} takes a whole number${range}, not '${value}'`);
}

function checkArguments(command: Command, positionals: readonly string[]): void {
  const required = command.arguments.filter((argument) => argument.required === true);
  const missing = required[positionals.length];
  if (missing !== undefined) throw usage(command, `${missing.name.toUpperCase()} is missing: ${missing.summary}`);
  for (const [place, { name, choices }] of command.arguments.entries()) {
    const given = positionals[place];
    if (given !== undefined && choices !== undefined && !choices.includes(given))
      throw usage(command, `${name.toUpperCase()} is ${choices.join(' or ')}, not '${given}'`);
  }
  const variadic = command.arguments.at(-1)?.variadic === true;
  const extra = positionals[command.arguments.length];
  if (!variadic && extra !== undefined) throw usage(command, `it does not know what to do with '${extra}'`);
}

/** Also for what only a handler can check. `what` is a clause without its full stop. */
export const usage = (command: Pick<Command, 'name'>, what: string): GantryError =>
  new GantryError('InvalidParameterException', `gantry ${command.name}: ${what}.`, {
    hint: `See \`gantry ${command.name} --help\`.`,
  });
