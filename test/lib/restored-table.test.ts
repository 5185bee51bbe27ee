import { expect, it } from 'vitest';
import { makeControlPlane } from './support/synth.ts';

const tableStreamArn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/restored/stream/2026-01-01T00:00:00.000';

const { template } = makeControlPlane({ restoredTable: { tableName: 'restored', tableStreamArn } });

it('goes on with a table that was restored: functions, rights and stream are on it, and the stack has no other', () => {
  template.resourceCountIs('AWS::DynamoDB::Table', 0);
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  expect(functions).toHaveLength(7);
  for (const { Properties } of functions)
    expect(Properties).toMatchObject({ Environment: { Variables: { GANTRY_TABLE: 'restored' } } });
  const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'));
  expect(mappings.map(({ Properties }) => Properties.EventSourceArn)).toEqual([tableStreamArn, tableStreamArn]);
  const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'));
  expect(policies).toContain(':table/restored"');
  expect(policies).toContain(':table/restored/index/');
  expect(policies).toContain(tableStreamArn);
});
