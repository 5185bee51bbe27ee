/** docs/task-definition-fields.md: the table of fields as a page. */
import { capacityProviderFields } from './capacity-provider-fields.ts';
import type { Field, FieldClass, FieldTable } from './field-table.ts';
import { taskDefinitionFields } from './fields.ts';
import { runTaskFields } from './run-task-fields.ts';

const classes: readonly (readonly [FieldClass, string])[] = [
  ['honoured', 'Has its effect.'],
  ['recorded', 'Stored and answered, without effect. `gantry register` and the REST API say so in a warning.'],
  ['ignored', 'Without effect, as Amazon ECS itself ignores it for tasks on EC2 hosts. A warning says so.'],
  [
    'refused',
    'A ClientException names the path. What asks for nothing (`null`, `false`, `""`, `[]`, `{}`) is taken as absent.',
  ],
];

export function fieldsPage(): string {
  return [
    '# What becomes of each field',
    'Generated from `core/model/fields.ts` by `npm run generate`: every member of these requests, in one of four classes.',
    rows(
      ['class', 'meaning'],
      classes.map(([name, meaning]) => [`**${name}**`, meaning]),
    ),
    '## RegisterTaskDefinition',
    tables(taskDefinitionFields),
    '## RunTask',
    tables(runTaskFields),
    '## CreateCapacityProvider and UpdateCapacityProvider',
    tables(capacityProviderFields),
  ].join('\n\n');
}

const tables = (table: FieldTable): string =>
  classes
    .map(([name]) => [name, Object.entries(table).filter(([, field]) => field.class === name)] as const)
    .filter(([, fields]) => fields.length > 0)
    .map(([name, fields]) => `### ${capital(name)}\n\n${rows(['field', ''], fields.map(row))}`)
    .join('\n\n');

const row = ([path, { says }]: readonly [string, Field]): readonly string[] => [`\`${path}\``, says];

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);

const rows = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
