/** Registers the task definition in a file, and shows whatever is refused at its place in it. */
import type { Output as Answer, Input } from '../core/api/operations.ts';
import { GantryError } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { parseTaskDefinitionFile } from './task-definition-file.ts';

/** `path` is `-` for standard input. */
export async function registerFile(
  { client, readFile, signal }: CommandContext,
  path: string,
): Promise<Answer<'RegisterTaskDefinition'>> {
  const name = path === '-' ? 'standard input' : path;
  const file = parseTaskDefinitionFile(name, await contentOf(readFile, path, name));
  try {
    // Whatever is in the file goes out: the control plane judges it, and names the member.
    return await client().call('RegisterTaskDefinition', file.content as Input<'RegisterTaskDefinition'>, signal);
  } catch (error) {
    if (!(error instanceof GantryError) || error.field === undefined) throw error;
    const { code, message, field, hint } = error;
    throw new GantryError(code, `${file.whereIs(field)}: ${message}`, { field, ...(hint !== undefined && { hint }) });
  }
}

async function contentOf(readFile: CommandContext['readFile'], path: string, name: string): Promise<string> {
  try {
    return await readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^\w+: |, \w+( '.*')?$/g, '') : String(error);
    throw new GantryError('ResourceNotFoundException', `${name} cannot be read: ${why}.`, {
      hint: 'Name a JSON or YAML file with a task definition, or - for standard input.',
    });
  }
}
