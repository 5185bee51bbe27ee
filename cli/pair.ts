/** `NAME=VALUE` as options and arguments take it. */
import type { Command } from './command.ts';
import { usage } from './parse.ts';

/** `taker` is what took it, as people wrote it: `--tag`. */
export function pairOf(command: Pick<Command, 'name'>, taker: string, text: string): { name: string; value: string } {
  const equals = text.indexOf('=');
  if (equals < 1) throw usage(command, `${taker} takes a name, = and a value, not '${text}'`);
  return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}
