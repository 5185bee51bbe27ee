/**
 * The key that opens the secrets of a store on one machine: a file beside it, which a copy of the store is worth little without. Says what
 * is to be done where it cannot go along.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GantryError } from '../../core/errors.ts';
import { cloudPaths } from '../options.ts';
import { writeWhole } from '../whole-file.ts';
import type { Place } from './places.ts';

const keyBeside = (file: string): string => cloudPaths({ dataDir: dirname(file), runDir: dirname(file) }).dataKey;

const secrets = 'Access keys, credentials of registries and secrets of webhooks';

interface Carried {
  /** The file that was written. */
  readonly dataKey?: string;
  /** What is left to do so that the copy opens its secrets; absent where that is nothing. */
  readonly secrets?: string;
}

/** Throws ClientException where another key lies beside the target: the secrets of another store would be lost with it. */
export function checkDataKey(from: Place, to: Place): void {
  if (from.kind !== 'sqlite' || to.kind !== 'sqlite') return;
  const [own, other] = [keyBeside(from.file), keyBeside(to.file)];
  if (!existsSync(own) || !existsSync(other) || readFileSync(own).equals(readFileSync(other))) return;
  throw new GantryError('ClientException', `${other} is the data key of another store.`, {
    field: 'TO',
    hint: 'Name another directory, or move that file away.',
  });
}

/** `kms` is the key of KMS under which the source keeps its data key within itself, as in AWS. */
export function carryDataKey(from: Place, to: Place, kms: string | undefined): Carried {
  if (from.kind === 'sqlite') return to.kind === 'sqlite' ? besideAnother(from.file, to.file) : toTable(from.file);
  if (to.kind === 'dynamodb')
    return kms === undefined ? fileNeeded('its data directory') : { secrets: `They open with ${kms} alone.` };
  return kms === undefined
    ? fileNeeded(dirname(to.file))
    : notCarried('are sealed under a key of KMS, which one machine has not');
}

function besideAnother(from: string, to: string): Carried {
  const own = keyBeside(from);
  if (!existsSync(own)) return notCarried(`cannot be opened: ${own} is not there`);
  const dataKey = keyBeside(to);
  writeWhole(dataKey, readFileSync(own, 'utf8'));
  return { dataKey };
}

function toTable(file: string): Carried {
  const key = keyBeside(file);
  return {
    secrets:
      `${secrets} open with the file ${key}: \`gantry up --store dynamodb\` needs it as ${join('DIR', 'data-key')} of its --data DIR. ` +
      'A control plane in AWS has a key of its own and cannot open them: make them anew there.',
  };
}

const fileNeeded = (directory: string): Carried => ({
  secrets: `${secrets} open with the file data-key of the machine that used the table: put it into ${directory} before \`gantry up\`.`,
});

const notCarried = (why: string): Carried => ({ secrets: `${secrets} ${why}: make them anew.` });
