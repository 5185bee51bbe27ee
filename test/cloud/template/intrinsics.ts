/**
 * CloudFormation's intrinsic functions: turns a value of a template into what a service is given. Whatever is unknown is a loud
 * failure, because a value that was guessed would let a wrong template pass.
 */
import type { Template } from './template.ts';

export interface Surroundings {
  readonly region: string;
  readonly accountId: string;
  readonly stackName: string;
  readonly stackId: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What `Ref` (no attribute) or `Fn::GetAtt` of a resource is; throws where it has no such attribute. */
  readonly attribute: (logicalId: string, attribute?: string) => unknown;
}

/** Stands for `AWS::NoValue`: the member that has it is left out. */
const noValue = Symbol('AWS::NoValue');

export class Resolver {
  readonly #template: Template;
  readonly #surroundings: Surroundings;

  constructor(template: Template, surroundings: Surroundings) {
    this.#template = template;
    this.#surroundings = surroundings;
  }

  resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.resolve(one)).filter((one) => one !== noValue);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [name = '', argument] = entries[0] ?? [];
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) return this.#call(name, argument);
    if (entries.length === 1 && name === 'Condition' && typeof argument === 'string') return this.holds(argument);
    const resolved = entries.map(([member, one]) => [member, this.resolve(one)] as const);
    return Object.fromEntries(resolved.filter(([, one]) => one !== noValue));
  }

  /** Whether a condition of the template holds. */
  holds(condition: string): boolean {
    const definition = this.#template.Conditions[condition];
    if (definition === undefined) throw new Error(`the template has no condition ${condition}`);
    return this.resolve(definition) === true;
  }

  #call(name: string, argument: unknown): unknown {
    const of = intrinsics[name];
    if (of === undefined) throw new Error(`the intrinsic function ${name} is not known: ${JSON.stringify(argument)}`);
    return of(argument, {
      resolve: (value) => this.resolve(value),
      holds: (condition) => this.holds(condition),
      reference: (id) => this.#reference(id),
      attribute: (id, attribute) => this.#surroundings.attribute(id, attribute),
      map: (map, first, second) => this.#template.Mappings[map]?.[first]?.[second],
      region: this.#surroundings.region,
    });
  }

  #reference(id: string): unknown {
    const { region, accountId, stackName, stackId, parameters, attribute } = this.#surroundings;
    const pseudo: Record<string, unknown> = {
      'AWS::Region': region,
      'AWS::AccountId': accountId,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stackName,
      'AWS::StackId': stackId,
      'AWS::NoValue': noValue,
      'AWS::NotificationARNs': [],
    };
    if (id in pseudo) return pseudo[id];
    const parameter = this.#template.Parameters[id];
    if (parameter === undefined) return attribute(id);
    const value = parameters[id] ?? parameter.Default;
    if (value === undefined) throw new Error(`the parameter ${id} has no value`);
    return value;
  }
}

interface Tools {
  readonly resolve: (value: unknown) => unknown;
  readonly holds: (condition: string) => boolean;
  readonly reference: (id: string) => unknown;
  readonly attribute: (id: string, attribute: string) => unknown;
  readonly map: (map: string, first: string, second: string) => unknown;
  readonly region: string;
}

const intrinsics: Readonly<Record<string, (argument: unknown, tools: Tools) => unknown>> = {
  Ref: (argument, { reference }) => reference(textOf(argument)),
  'Fn::GetAtt': (argument, { attribute, resolve }) => {
    const [id, name] = Array.isArray(argument) ? argument : splitOnce(textOf(argument));
    return attribute(textOf(id), textOf(resolve(name)));
  },
  'Fn::Join': (argument, { resolve }) => {
    const [separator, values] = pairOf(argument, 'Fn::Join');
    return listOf(resolve(values)).map(textOf).join(textOf(separator));
  },
  'Fn::Sub': (argument, { resolve, reference, attribute }) => {
    const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
    const own = Object(resolve(variables ?? {}));
    return textOf(text).replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal === '!') return `\${${name}}`;
      if (Object.hasOwn(own, name)) return textOf(own[name]);
      const [id, member] = splitOnce(name);
      return textOf(member === '' ? reference(id) : attribute(id, member));
    });
  },
  'Fn::Select': (argument, { resolve }) => {
    const [index, values] = pairOf(argument, 'Fn::Select');
    const chosen = listOf(resolve(values))[Number(resolve(index))];
    if (chosen === undefined) throw new Error(`Fn::Select has no element ${String(index)}: ${JSON.stringify(values)}`);
    return chosen;
  },
  'Fn::Split': (argument, { resolve }) => {
    const [separator, text] = pairOf(argument, 'Fn::Split');
    return textOf(resolve(text)).split(textOf(separator));
  },
  'Fn::If': (argument, { resolve, holds }) => {
    const [condition, yes, no] = listOf(argument);
    return resolve(holds(textOf(condition)) ? yes : no);
  },
  'Fn::Equals': (argument, { resolve }) => {
    const [one, other] = pairOf(argument, 'Fn::Equals');
    return textOf(resolve(one)) === textOf(resolve(other));
  },
  'Fn::Not': (argument, { resolve }) => listOf(resolve(argument))[0] !== true,
  'Fn::And': (argument, { resolve }) => listOf(resolve(argument)).every((one) => one === true),
  'Fn::Or': (argument, { resolve }) => listOf(resolve(argument)).some((one) => one === true),
  'Fn::FindInMap': (argument, { resolve, map }) => {
    const [name, first, second] = listOf(resolve(argument)).map(textOf);
    const found = map(name ?? '', first ?? '', second ?? '');
    if (found === undefined) throw new Error(`the template has no mapping ${[name, first, second].join('.')}`);
    return found;
  },
  'Fn::GetAZs': (argument, { resolve, region }) =>
    ['a', 'b', 'c'].map((zone) => (textOf(resolve(argument)) || region) + zone),
  'Fn::Base64': (argument, { resolve }) => Buffer.from(textOf(resolve(argument))).toString('base64'),
};

const splitOnce = (text: string): [string, string] => {
  const at = text.indexOf('.');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

function textOf(value: unknown): string {
  if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
  throw new Error(`a text is wanted, this is ${JSON.stringify(value)}`);
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`a list is wanted, this is ${JSON.stringify(value)}`);
}

function pairOf(value: unknown, name: string): [unknown, unknown] {
  const [one, other] = listOf(value);
  if (one === undefined || other === undefined)
    throw new Error(`${name} takes two arguments: ${JSON.stringify(value)}`);
  return [one, other];
}
