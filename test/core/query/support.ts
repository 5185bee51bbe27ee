/** Expressions as text, and a host to ask. */

import type { Query } from '../../../core/query/parse.ts';
import type { Comparator, QueriedHost } from '../../../core/query/subjects.ts';

export const askedHost: QueriedHost = {
  connected: true,
  attributes: { stack: 'prod', 'ecs.instance-type': 't2.small', size: '9', flag: '', constructor: 'yes' },
  groups: { 'service:web': 2, job: 1 },
  taskCount: 3,
  agentVersion: '1.10.0',
  registeredAt: Date.UTC(2026, 0, 2, 12),
  instanceId: 'i-abcd1234',
};

const spellings: Readonly<Record<Comparator, readonly string[]>> = {
  '==': ['==', 'equals'],
  '!=': ['!=', 'not_equals'],
  '>': ['>', 'greater_than'],
  '>=': ['>=', 'greater_than_equal'],
  '<': ['<', 'less_than'],
  '<=': ['<=', 'less_than_equal'],
  exists: ['exists', 'EXISTS'],
  '!exists': ['!exists', 'not_exists'],
  in: ['in', 'In'],
  '!in': ['!in', 'not_in'],
  '=~': ['=~', 'matches'],
  '!~': ['!~', 'not_matches'],
};

/** `pick` chooses among ways to write the same. */
export function print(query: Query, pick: (ways: readonly string[]) => string): string {
  const inner = (part: Query): string =>
    part.is === 'and' || part.is === 'or' ? `(${print(part, pick)})` : print(part, pick);
  switch (query.is) {
    case 'comparison': {
      const { subject, operator, values } = query;
      const isPattern = operator === '=~' || operator === '!~';
      const shown = values.map((value) => (isPattern ? value : pick(quotedIn(value))));
      const list = operator === 'in' || operator === '!in' ? [`[${shown.join(pick([',', ', ', ' , ']))}]`] : shown;
      return [subject, pick(spellings[operator]), ...list].join(pick([' ', '  ', '\n']));
    }
    case 'not':
      return `${pick(['not ', '!', 'NOT '])}${pick(['', ' '])}${inner(query.part)}`;
    case 'and':
    case 'or': {
      const signs = query.is === 'and' ? [' and ', ' && ', ' AND '] : [' or ', ' || ', ' Or '];
      return query.parts.map(inner).join(pick(signs));
    }
  }
}

function quotedIn(value: string): string[] {
  const escaped = value.replaceAll('\\', '\\\\');
  const quoted = [`"${escaped.replaceAll('"', '\\"')}"`, `'${escaped.replaceAll("'", "\\'")}'`];
  return /^[\w./:@-]+$/.test(value) ? [value, ...quoted] : quoted;
}
