/** The two stores of `gantry store copy`: what their addresses mean, and how they are opened. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { WholeStore } from '../../control/copied-store.ts';
import { openDynamoDbTable } from '../../control/store/dynamodb.ts';
import { scanDynamoDb } from '../../control/store/dynamodb-scan.ts';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import { scanSqlite } from '../../control/store/sqlite-scan.ts';
import { GantryError } from '../../core/errors.ts';
import { emulatorOf } from '../open-table.ts';

/** An argument of the command. */
export type Side = 'FROM' | 'TO';

export type Place =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'dynamodb'; readonly tableName: string };

/** DynamoDB's own rule. */
const tableNames = /^[A-Za-z0-9_.-]{3,255}$/;

/** Throws InvalidParameterException that names the argument. */
export function readPlace(side: Side, text: string): Place {
  const [, kind, rest = ''] = /^(sqlite|dynamodb):(.+)$/s.exec(text) ?? [];
  if (kind === 'sqlite') return { kind, file: storeFile(resolve(rest)) };
  if (kind === 'dynamodb' && tableNames.test(rest)) return { kind, tableName: rest };
  const wanted =
    kind === 'dynamodb'
      ? 'dynamodb: and a name of 3 to 255 letters, digits, _, - and .'
      : 'sqlite:PATH or dynamodb:TABLE';
  throw new GantryError('InvalidParameterException', `${side} takes ${wanted}, not '${text}'.`, { field: side });
}

/** A control plane has its store as gantry.db in its data directory; a backup may have any name. */
function storeFile(path: string): string {
  const isFile = existsSync(path) ? statSync(path).isFile() : path.endsWith('.db');
  return isFile ? path : join(path, 'gantry.db');
}

export const addressOf = (place: Place): string =>
  place.kind === 'sqlite' ? `sqlite:${place.file}` : `dynamodb:${place.tableName}`;

export function isSamePlace(a: Place, b: Place): boolean {
  if (a.kind === 'dynamodb' || b.kind === 'dynamodb') return addressOf(a) === addressOf(b);
  return realFile(a.file) === realFile(b.file);
}

function realFile(file: string): string {
  if (existsSync(file)) return realpathSync(file);
  const directory = dirname(file);
  return existsSync(directory) ? join(realpathSync(directory), basename(file)) : file;
}

export interface DynamoDbWay {
  readonly region: string;
  readonly dynamodbEndpoint?: string | undefined;
}

/** Without sweeping: what is over stays until a control plane uses the store. A table of DynamoDB is made where it is to be. */
export async function openPlace(
  place: Place,
  { region, dynamodbEndpoint }: DynamoDbWay,
  create: boolean,
): Promise<WholeStore> {
  if (place.kind === 'sqlite') {
    const { file } = place;
    if (!create && !existsSync(file)) throw new GantryError('ResourceNotFoundException', 'There is no such file.');
    const table = openSqliteTable({ file, now: () => 0 });
    return { table, scan: () => scanSqlite(file) };
  }
  const options = { tableName: place.tableName, region, ...emulatorOf(dynamodbEndpoint) };
  const table = await openDynamoDbTable({ ...options, create });
  return { table, scan: () => scanDynamoDb(options) };
}
