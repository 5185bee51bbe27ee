/**
 * Checks a task definition at synth by the very schema and rules of the API, so that what deploys also registers. What is known at
 * deployment only (a token) is taken on trust.
 */
import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import {
  type RegisterTaskDefinitionInput,
  registerTaskDefinitionInputSchema,
} from '../../core/api/task-definitions.ts';
import { unknownMembers } from '../../core/api/unknown-members.ts';
import { GantryError } from '../../core/errors.ts';
import { normaliseTaskDefinition } from '../../core/model/normalise-task-definition.ts';

/** Throws an Error that names the prop, its value and what is wrong. Answers what is recorded or ignored, a sentence each. */
export function checkDefinition(scope: Construct, definition: RegisterTaskDefinitionInput): readonly string[] {
  const unknownPaths: string[] = [];
  const sample = sampleOf(definition, '', unknownPaths);
  const parsed = registerTaskDefinitionInputSchema.safeParse(sample);
  const issue = parsed.error?.issues[0];
  if (!parsed.success) throw refusal(scope, definition, pathOf(issue?.path ?? []), issue?.message ?? '');
  const misspelled = unknownMembers(registerTaskDefinitionInputSchema, sample)[0];
  if (misspelled !== undefined) throw refusal(scope, definition, misspelled, 'There is no such member.');
  try {
    return normaliseTaskDefinition(parsed.data).warnings;
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    const { field = '', message, hint } = error;
    if (unknownPaths.some((path) => concerns(field, path))) return [];
    throw refusal(scope, definition, field, hint === undefined ? message : `${message} ${hint}`);
  }
}

/** A copy with something in place of each token, whose paths are added to `tokens`. */
function sampleOf(value: unknown, path: string, tokens: string[]): unknown {
  if (typeof value !== 'object' || value === null) {
    if (!Token.isUnresolved(value)) return value;
    tokens.push(path);
    return typeof value === 'string' ? withoutTokens(value) : 1024;
  }
  if (Array.isArray(value)) {
    if (!Token.isUnresolved(value)) return value.map((item, index) => sampleOf(item, `${path}[${index}]`, tokens));
    tokens.push(path);
    return ['token'];
  }
  const members = Object.entries(value).map(([name, member]) => [
    name,
    sampleOf(member, path === '' ? name : `${path}.${name}`, tokens),
  ]);
  return Object.fromEntries(members);
}

const withoutTokens = (text: string): string => text.replaceAll(/\$\{Token\[[^\]]*\]\}/g, 'token');

const isSize = (path: string): boolean => /(^|\.)(cpu|memory|memoryReservation)$/.test(path);

/** Sizes are checked against each other, so that one that is not known leaves all of them open. */
const concerns = (field: string, token: string): boolean =>
  field.startsWith(token) || token.startsWith(field) || (isSize(field) && isSize(token));

function refusal(scope: Construct, definition: unknown, field: string, what: string): Error {
  const value = JSON.stringify(valueAt(definition, field));
  // The props call the containers by a shorter name than the API.
  const own = (text: string): string => text.replaceAll('containerDefinitions', 'containers');
  return new Error(`${scope.node.path}: ${own(field)} is ${value}. ${own(what)}`);
}

const pathOf = (steps: readonly PropertyKey[]): string =>
  steps.reduce<string>(
    (path, step) =>
      typeof step === 'number' ? `${path}[${step}]` : path === '' ? String(step) : `${path}.${String(step)}`,
    '',
  );

function valueAt(value: unknown, field: string): unknown {
  const steps = field.split(/[.[\]]+/).filter((step) => step !== '');
  return steps.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null ? Object.getOwnPropertyDescriptor(at, step)?.value : undefined,
    value,
  );
}
