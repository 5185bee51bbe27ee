/**
 * Applies the table of fields to a request: refuses what is not honoured, by its path, and says what is recorded or ignored. Looks at
 * nothing that the table does not name.
 */
import { GantryError } from '../errors.ts';
import type { FieldClass, FieldTable } from './field-table.ts';

interface Found {
  /** With indexes, for example `containerDefinitions[0].healthCheck`. */
  readonly path: string;
  readonly value: unknown;
}

/** Throws on the first member that the table refuses and that asks for something. */
export function refuseFields(table: FieldTable, input: unknown): void {
  for (const { path, value, says } of fieldsOf(table, ['refused'], input)) {
    const field = firstWish(path, value) ?? path;
    throw new GantryError('ClientException', `${field} is not supported yet.`, { field, hint: says });
  }
}

/** A sentence for each row of the table that the request touches without effect. */
export const fieldWarnings = (table: FieldTable, input: unknown): string[] => {
  const touched = fieldsOf(table, ['recorded', 'ignored'], input);
  const isFirstOfRow = ({ row }: { row: string }, index: number) => touched.findIndex((at) => at.row === row) === index;
  return touched
    .filter(isFirstOfRow)
    .map((at) => `${at.path}: ${at.class === 'ignored' ? 'ignored' : 'recorded only'}. ${at.says}`);
};

function fieldsOf(table: FieldTable, classes: readonly FieldClass[], input: unknown) {
  return Object.entries(table)
    .filter(([, field]) => classes.includes(field.class))
    .flatMap(([row, field]) =>
      found(row.split('.'), { path: '', value: input })
        .filter(({ path, value }) => firstWish(path, value) !== undefined)
        .map((at) => ({ ...field, ...at, row })),
    );
}

/** Where the rest of a row's path leads from here: to one place for each element of the lists on the way. */
function found(steps: readonly string[], from: Found): Found[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [from];
  const isList = step.endsWith('[]');
  const name = isList ? step.slice(0, -2) : step;
  const value = memberOf(from.value, name);
  const path = from.path === '' ? name : `${from.path}.${name}`;
  if (!isList) return value === undefined ? [] : found(rest, { path, value });
  if (!Array.isArray(value)) return [];
  return value.flatMap((element: unknown, index) => found(rest, { path: `${path}[${index}]`, value: element }));
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;

/**
 * The path of the first thing that the value asks for; undefined where it asks for nothing more than its absence would. Tools send
 * empty lists and `false` for what nobody set, and answers have empty lists that are registered again.
 */
function firstWish(path: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === false || value === '') return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : path;
  if (typeof value !== 'object') return path;
  for (const [name, member] of Object.entries(value)) {
    const wish = firstWish(`${path}.${name}`, member);
    if (wish !== undefined) return wish;
  }
  return undefined;
}
