import { describe, expect, it } from 'vitest';
import { Resolver } from './intrinsics.ts';
import { creationOrder, referencesIn, templateSchema } from './template.ts';

const template = templateSchema.parse({
  Parameters: { Stage: { Type: 'String', Default: 'test' }, Open: { Type: 'String' } },
  Mappings: { Sizes: { small: { cpu: '2' } } },
  Conditions: {
    IsTest: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] },
    IsProd: { 'Fn::Not': [{ Condition: 'IsTest' }] },
    Both: { 'Fn::And': [{ Condition: 'IsTest' }, { Condition: 'IsProd' }] },
    Either: { 'Fn::Or': [{ Condition: 'IsTest' }, { Condition: 'IsProd' }] },
  },
  Resources: {},
});

const resolver = new Resolver(template, {
  region: 'eu-west-1',
  accountId: '123456789012',
  stackName: 'Gantry',
  stackId: 'arn:stack',
  parameters: {},
  attribute(id, attribute) {
    if (id !== 'Table') throw new Error(`there is no resource ${id}`);
    return attribute === undefined ? 'the-table' : `${attribute} of the table`;
  },
});

describe('intrinsic functions', () => {
  it.each([
    [{ Ref: 'AWS::Region' }, 'eu-west-1'],
    [{ Ref: 'Stage' }, 'test'],
    [{ Ref: 'Table' }, 'the-table'],
    [{ 'Fn::GetAtt': ['Table', 'Arn'] }, 'Arn of the table'],
    [{ 'Fn::GetAtt': 'Table.Stream.Arn' }, 'Stream.Arn of the table'],
    [{ 'Fn::Join': ['-', ['a', { Ref: 'Table' }, 3]] }, 'a-the-table-3'],
    [
      { 'Fn::Sub': `\${Table}/\${Table.Arn}/\${!kept}/\${AWS::AccountId}` },
      `the-table/Arn of the table/\${kept}/123456789012`,
    ],
    [{ 'Fn::Sub': [`\${own} \${Table}`, { own: { Ref: 'Stage' } }] }, 'test the-table'],
    [{ 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    [{ 'Fn::If': ['IsTest', 'yes', 'no'] }, 'yes'],
    [{ 'Fn::If': ['IsProd', 'yes', 'no'] }, 'no'],
    [{ 'Fn::If': ['Both', 'yes', 'no'] }, 'no'],
    [{ 'Fn::If': ['Either', 'yes', 'no'] }, 'yes'],
    [{ 'Fn::FindInMap': ['Sizes', 'small', 'cpu'] }, '2'],
    [{ 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }, 'eu-west-1a'],
    [{ 'Fn::Base64': 'text' }, 'dGV4dA=='],
    [{ kept: [1, { Ref: 'AWS::NoValue' }], left: { Ref: 'AWS::NoValue' } }, { kept: [1] }],
  ])('%j', (value, expected) => {
    expect(resolver.resolve(value)).toEqual(expected);
  });

  it.each([
    [{ 'Fn::Transform': {} }, /Fn::Transform is not known/],
    [{ Ref: 'Misspelt' }, /no resource Misspelt/],
    [{ Ref: 'Open' }, /parameter Open has no value/],
    [{ 'Fn::If': ['Unheard', 1, 2] }, /no condition Unheard/],
    [{ 'Fn::Select': [7, ['a']] }, /no element 7/],
    [{ 'Fn::FindInMap': ['Sizes', 'large', 'cpu'] }, /no mapping Sizes.large.cpu/],
    [{ 'Fn::Join': ['', { Ref: 'Table' }] }, /a list is wanted/],
  ])('fail loudly: %j', (value, message) => {
    expect(() => resolver.resolve(value)).toThrow(message);
  });
});

describe('the order of creation', () => {
  const resource = (Properties: object, more: object = {}) => ({ Type: 'T', Properties, ...more });

  it('has each after what it refers to or depends on', () => {
    const { Resources } = templateSchema.parse({
      Resources: {
        D: resource({}, { DependsOn: 'C' }),
        C: resource({ a: { 'Fn::Sub': [`\${B.Arn} \${own}`, { own: { Ref: 'A' } }] } }),
        B: resource({ a: [{ 'Fn::GetAtt': ['A', 'Arn'] }] }),
        A: resource({}),
      },
    });
    expect(creationOrder(Resources)).toEqual(['A', 'B', 'C', 'D']);
    expect(referencesIn(Resources.C)).toEqual(['B', 'A']);
  });

  it('does not exist where they need each other', () => {
    const { Resources } = templateSchema.parse({
      Resources: { A: resource({ b: { Ref: 'B' } }), B: resource({ a: { Ref: 'A' } }) },
    });
    expect(() => creationOrder(Resources)).toThrow('A → B → A');
  });
});
