/** How the normalisers refuse a value: one GantryError that names the member, ECS' code and text, and what would be right. */
import { type ErrorCode, GantryError } from '../errors.ts';

/** RegisterTaskDefinition answers ClientException for values that are wrong, RunTask InvalidParameterException. */
export type Refuse = (field: string, message: string, hint?: string) => GantryError;

const refuseWith =
  (code: ErrorCode): Refuse =>
  (field, message, hint) =>
    new GantryError(code, message, hint === undefined ? { field } : { field, hint });

export const clientFault = refuseWith('ClientException');
export const parameterFault = refuseWith('InvalidParameterException');

export const noFargate = (field: string): GantryError =>
  new GantryError(
    'PlatformTaskDefinitionIncompatibilityException',
    'Gantry runs tasks on hosts of yours and has no Fargate.',
    {
      field,
      hint: 'Use launch type EC2 with network mode bridge or host, or name no launch type.',
    },
  );

/** Throws unless the number, where there is one, is within both ends. */
export function checkRange(
  refuse: Refuse,
  field: string,
  value: number | undefined,
  [least, greatest]: readonly [number, number],
): void {
  if (value === undefined || (value >= least && value <= greatest)) return;
  throw refuse(field, `${field} must be between ${least} and ${greatest}; it is ${value}.`);
}

/** Throws unless a text has so many characters, or a list so many entries. */
export function checkLength(
  refuse: Refuse,
  field: string,
  value: string | readonly unknown[] | undefined,
  [least, greatest]: readonly [number, number],
): void {
  if (value === undefined || (value.length >= least && value.length <= greatest)) return;
  const unit = typeof value === 'string' ? 'characters' : 'entries';
  throw refuse(field, `${field} must have ${least} to ${greatest} ${unit}; it has ${value.length}.`);
}

/** The first item that an earlier one has already, by its key. */
export function firstDouble<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): { item: T; index: number } | undefined {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (seen.has(keyOf(item))) return { item, index };
    seen.add(keyOf(item));
  }
  return undefined;
}

/** NUL ends a string in every call of the kernel: what follows it would be lost. */
export function refuseNul(refuse: Refuse, field: string, text: string): void {
  if (text.includes('\0')) throw refuse(field, `${field} contains a NUL character.`);
}
