import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeControlPlane } from './support/synth.ts';

const { template } = makeControlPlane();
const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const statementSchema = z.object({
  Action: oneOrMore,
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
const policySchema = z.object({ Statement: z.array(statementSchema) });

describe('permissions', () => {
  const policies = Object.entries(template.findResources('AWS::IAM::Policy')).map(
    ([id, { Properties }]): [string, z.infer<typeof policySchema>] => [
      /ControlPlane([A-Z][a-z]+)Role/.exec(id)?.[1] ?? id,
      policySchema.parse(Properties.PolicyDocument),
    ],
  );
  const ofTable = policies.flatMap(([name, { Statement }]) =>
    Statement.filter(({ Action }) => Action.some((action) => /^dynamodb:.*(Item|Query|Scan)/.test(action))).map(
      (statement) => ({ name, ...statement }),
    ),
  );
  const keysOf = ({ Condition }: z.infer<typeof statementSchema>): readonly string[] =>
    z.array(z.string()).default([]).parse(Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']);
  const mayTouch = (pattern: string): string[] => [
    ...new Set(ofTable.filter((statement) => keysOf(statement).includes(pattern)).map(({ name }) => name)),
  ];

  it('of the table name the partitions, and never let anybody scan', () => {
    expect(ofTable.length).toBeGreaterThan(10);
    for (const statement of ofTable) {
      expect(keysOf(statement).length).toBeGreaterThan(0);
      expect(statement.Action).not.toContain('dynamodb:Scan');
      expect(JSON.stringify(statement.Action)).not.toContain('*');
    }
  });

  it('let one function near access keys, and one change which roles hosts may have', () => {
    expect(mayTouch('access-key#*')).toEqual(['Api']);
    expect(mayTouch('host-role#*').toSorted()).toEqual(['Hosts', 'Resources']);
    expect(mayTouch('join-token#*').toSorted()).toEqual(['Api', 'Hosts']);
  });

  it('let the function that tells of changes write what it tells, and nothing else', () => {
    const writes = ofTable.filter(({ name, Action }) => name === 'Events' && Action.includes('dynamodb:PutItem'));
    expect(writes.map(keysOf)).toEqual([['event#*']]);
    expect(mayTouch('event#*').toSorted()).toEqual(['Api', 'Events']);
    // By the index alone.
    expect(mayTouch('events#*').toSorted()).toEqual(['Api', 'Sweep']);
  });

  it('let the function that sends webhooks read where to, and write how far that has got', () => {
    expect(mayTouch('webhooks#*').toSorted()).toEqual(['Api', 'Sweep']);
    const writes = ofTable.filter(({ Action }) => Action.includes('dynamodb:PutItem'));
    const written = (pattern: string) => writes.filter((one) => keysOf(one).includes(pattern)).map(({ name }) => name);
    expect(written('webhooks#*')).toEqual(['Api']);
    expect(written('webhook-deliveries#*').toSorted()).toEqual(['Api', 'Sweep']);
  });

  it('let the fleet alone write what is bought, and nobody but stacks what hosts are launched from', () => {
    const mayWrite = (pattern: string): string[] =>
      ofTable
        .filter(({ Action }) => Action.includes('dynamodb:PutItem'))
        .filter((statement) => keysOf(statement).includes(pattern))
        .map(({ name }) => name)
        .toSorted();
    for (const pattern of ['purchases#*', 'past-purchases#*', 'capacity#*', 'blames#*', 'offers#*'])
      expect(mayWrite(pattern), pattern).toEqual(['Fleet']);
    expect(mayWrite('host-supply#*')).toEqual(['Resources']);
    expect(mayWrite('capacity-providers')).toEqual(['Api', 'Resources']);
  });

  it('let one function seal secrets, and those open them that sign webhooks or give hosts what they pull with', () => {
    const having = (action: string): string[] =>
      policies
        .filter(([, { Statement }]) => Statement.some(({ Action }) => Action.includes(action)))
        .map(([name]) => name);
    expect(having('kms:GenerateDataKey')).toEqual(['Api']);
    expect(having('kms:Decrypt').toSorted()).toEqual(['Api', 'Hosts', 'Sweep']);
  });
});
