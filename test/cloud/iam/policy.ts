/**
 * IAM's decision on one call, as far as the templates here use it: allow and deny, actions and resources with wildcards, string and
 * null conditions on keys that the caller of this file supplies. A condition that it does not know is a failure, never a guess.
 */
import { z } from 'zod';

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

export const statementSchema = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMore.optional(),
  NotAction: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  NotResource: oneOrMore.optional(),
  Principal: z.unknown().optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.union([oneOrMore, z.boolean()]))).default({}),
});
export type Statement = z.infer<typeof statementSchema>;

export const policyDocumentSchema = z.object({
  Version: z.string(),
  Statement: z.union([statementSchema, z.array(statementSchema)]).transform((value) => [value].flat()),
});

export interface Call {
  /** `service:Action`. */
  readonly action: string;
  readonly resource: string;
  /** Condition keys, each with its values. */
  readonly context?: Readonly<Record<string, readonly string[]>>;
}

/** True where some statement allows the call and none denies it. */
export function isAllowed(statements: readonly Statement[], call: Call): boolean {
  const applying = statements.filter((statement) => applies(statement, call));
  return applying.some(({ Effect }) => Effect === 'Allow') && applying.every(({ Effect }) => Effect === 'Allow');
}

function applies(statement: Statement, call: Call): boolean {
  const { Action, NotAction, Resource, NotResource, Condition } = statement;
  if (Action !== undefined && !Action.some((pattern) => matches(pattern, call.action, 'i'))) return false;
  if (NotAction?.some((pattern) => matches(pattern, call.action, 'i'))) return false;
  if (Resource !== undefined && !Resource.some((pattern) => matches(pattern, call.resource))) return false;
  if (NotResource?.some((pattern) => matches(pattern, call.resource))) return false;
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const values = call.context?.[key] ?? [];
      return holds(operator, values, [wanted].flat().map(String));
    }),
  );
}

function holds(operator: string, values: readonly string[], wanted: readonly string[]): boolean {
  const [, quantifier, comparison = ''] = /^(?:(ForAllValues|ForAnyValue):)?(.+)$/.exec(operator) ?? [];
  const compare = comparisons[comparison.replace(/IfExists$/, '')];
  if (comparison === 'Null') return (values.length === 0) === (wanted[0] === 'true');
  if (compare === undefined) throw new Error(`the condition operator ${operator} is not known here`);
  if (values.length === 0) return quantifier === 'ForAllValues' || comparison.endsWith('IfExists');
  const each = (value: string): boolean => compare(value, wanted);
  return quantifier === 'ForAllValues' ? values.every(each) : values.some(each);
}

type Comparison = (value: string, wanted: readonly string[]) => boolean;

const comparisons: Readonly<Record<string, Comparison>> = {
  StringEquals: (value, wanted) => wanted.includes(value),
  StringNotEquals: (value, wanted) => !wanted.includes(value),
  StringLike: (value, wanted) => wanted.some((pattern) => matches(pattern, value)),
  StringNotLike: (value, wanted) => !wanted.some((pattern) => matches(pattern, value)),
  ArnLike: (value, wanted) => wanted.some((pattern) => matches(pattern, value)),
  ArnEquals: (value, wanted) => wanted.some((pattern) => matches(pattern, value)),
  Bool: (value, wanted) => wanted.includes(value),
};

function matches(pattern: string, text: string, flags = ''): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, `s${flags}`).test(text);
}
