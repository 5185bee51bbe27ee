/** Task definitions: families, revisions, one revision in full, and what differs between two. */
import type { Output as Answer } from '../../core/api/operations.ts';
import type { TaskDefinitionView } from '../../core/api/shapes.ts';
import { formatCpu, formatMib } from '../../core/text.ts';
import { type DefinitionChange, fieldsOf } from '../definition-fields.ts';
import { alignColumns, type Output } from '../output.ts';
import { revisionOf } from './task.ts';
import { oneLine } from './text.ts';
import { formatMoment, type TimeStyle } from './time.ts';

export interface Family {
  readonly family: string;
  readonly latest: number;
  readonly revisions: number;
}

export function printFamilyTable(families: readonly Family[], out: Output): void {
  out.table(
    ['FAMILY', 'LATEST', 'REVISIONS'],
    families.map(({ family, latest, revisions }) => [family, `${family}:${latest}`, String(revisions)]),
  );
}

export function printRevisionTable(definitions: readonly TaskDefinitionView[], out: Output, now: number): void {
  out.table(
    ['REVISION', 'STATUS', 'REGISTERED', 'BY', 'SIZE', 'IMAGES'],
    definitions.map((definition) => [
      revisionOf(definition),
      statusOf(definition, out),
      formatMoment(definition.registeredAt, { terminal: out.terminal, now }),
      registrant(definition),
      sizeOf(definition),
      definition.containerDefinitions.map(({ image }) => image).join(' '),
    ]),
  );
}

export function printDefinitionPage(
  { taskDefinition: definition, tags }: Answer<'DescribeTaskDefinition'>,
  out: Output,
  now: number,
): void {
  const style = { terminal: out.terminal, now };
  out.line(`${out.paint('bold', revisionOf(definition))}  ${statusOf(definition, out)}`);
  out.line(`${originOf(definition, style)}; a task of it needs ${sizeOf(definition)}.`);
  const fields = [...fieldsOf(definition)];
  const names = definition.containerDefinitions.map(({ name }) => name);
  const ofContainer = (name: string): string => `containerDefinitions[${name}].`;
  for (const name of names) {
    const prefix = ofContainer(name);
    part(
      out,
      `Container ${name}`,
      fields.filter(([path]) => path.startsWith(prefix)).map(([path, value]) => [path.slice(prefix.length), value]),
    );
  }
  part(
    out,
    'Task',
    fields.filter(([path]) => !path.startsWith('containerDefinitions[')),
  );
  part(
    out,
    'Tags',
    tags.map(({ key, value = '' }) => [key, value]),
  );
}

export function printDefinitionDiff(
  before: TaskDefinitionView,
  after: TaskDefinitionView,
  changes: readonly DefinitionChange[],
  out: Output,
): void {
  out.line(out.paint('bold', `${revisionOf(before)} → ${revisionOf(after)}`));
  if (changes.length === 0) out.line('They do not differ.');
  for (const line of alignColumns(changes.map((change) => changeRow(change, out)))) out.line(line);
}

function changeRow({ path, from, to }: DefinitionChange, out: Output): string[] {
  if (from === undefined) return [out.paint('green', '+'), path, out.paint('green', oneLine(to ?? ''))];
  if (to === undefined) return [out.paint('red', '-'), path, out.paint('red', oneLine(from))];
  return [out.paint('yellow', '~'), path, `${out.paint('red', oneLine(from))} → ${out.paint('green', oneLine(to))}`];
}

function part(out: Output, title: string, rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  out.line();
  out.line(out.paint('bold', title));
  for (const line of alignColumns(rows.map(([path = '', value = '']) => [path, oneLine(value)]))) out.line(`  ${line}`);
}

const statusOf = ({ status }: TaskDefinitionView, out: Output): string =>
  out.paint(status === 'ACTIVE' ? 'green' : 'dim', status);

const registrant = ({ registeredBy }: TaskDefinitionView): string =>
  registeredBy.slice(registeredBy.lastIndexOf('/') + 1);

function originOf(definition: TaskDefinitionView, style: TimeStyle): string {
  const registered = `Registered ${formatMoment(definition.registeredAt, style)} by ${registrant(definition)}`;
  const { deregisteredAt } = definition;
  return deregisteredAt === undefined
    ? registered
    : `${registered}, deregistered ${formatMoment(deregisteredAt, style)}`;
}

/** What placement looks for: of the task where it says so, otherwise the sum of its containers. */
function sizeOf({ cpu, memory, containerDefinitions }: TaskDefinitionView): string {
  const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
  const cpuUnits = cpu === undefined ? sum(containerDefinitions.map((container) => container.cpu)) : Number(cpu);
  const ofContainers = containerDefinitions.map((container) => container.memoryReservation ?? container.memory ?? 0);
  const mib = memory === undefined ? sum(ofContainers) : Number(memory);
  return `${formatCpu(cpuUnits)}, ${formatMib(mib)}`;
}
