/** Registers the task definition in a file, and shows whatever is refused at its place in it. */
import type { Client } from '../client/client.ts';
import type { Output as Answer, Input } from '../core/api/operations.ts';
import { GantryError } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { parseTaskDefinitionFile, type TaskDefinitionFile } from './task-definition-file.ts';

/** `path` is `-` for standard input. */
export async function registerFile(
  { client, readFile, signal }: Pick<CommandContext, 'client' | 'readFile' | 'signal'>,
  path: string,
): Promise<Answer<'RegisterTaskDefinition'>> {
  const file = await readTaskDefinition(readFile, path);
  return register(client(), file, signal);
}

export async function readTaskDefinition(
  readFile: CommandContext['readFile'],
  path: string,
): Promise<TaskDefinitionFile> {
  const name = path === '-' ? 'standard input' : path;
  return parseTaskDefinitionFile(name, await contentOf(readFile, path, name));
}

export async function register(
  client: Client,
  { content, whereIs }: TaskDefinitionFile,
  signal: AbortSignal,
): Promise<Answer<'RegisterTaskDefinition'>> {
  try {
    // Whatever is in the file goes out: the control plane judges it, and names the member.
    return await client.call('RegisterTaskDefinition', content as Input<'RegisterTaskDefinition'>, signal);
  } catch (error) {
    if (!(error instanceof GantryError) || error.field === undefined) throw error;
    const { code, message, field, hint } = error;
    throw new GantryError(code, `${whereIs(field)}: ${message}`, { field, ...(hint !== undefined && { hint }) });
  }
}

async function contentOf(readFile: CommandContext['readFile'], path: string, name: string): Promise<string> {
  try {
    return await readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll(/^\w+: |, \w+( '.*')?$/g, '') : String(error);
    throw new GantryError('ResourceNotFoundException', `${name} cannot be read: ${why}.`, {
      hint: 'Name a JSON or YAML file with a task definition, or - for standard input.',
    });
  }
}
