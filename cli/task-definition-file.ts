/**
 * A task definition in a file: JSON or YAML (JSON is read as YAML, which knows the place of everything). Knows where each member
 * stands, so that what the control plane refuses is shown at its line. What the members mean is not its business.
 */
import { type Document, isMap, isNode, isScalar, LineCounter, parseAllDocuments, type YAMLError } from 'yaml';
import { GantryError } from '../core/errors.ts';

export interface TaskDefinitionFile {
  readonly content: Readonly<Record<string, unknown>>;
  /** `file:line:column` of a member by its path, for example `containerDefinitions[0].memory`, or of the nearest one around it. */
  readonly whereIs: (path: string) => string;
}

/** `name` is shown in errors. Throws InvalidParameterException that names line and column. */
export function parseTaskDefinitionFile(name: string, text: string): TaskDefinitionFile {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  // Without known tags, dates and binary stay what JSON has for them: strings.
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, resolveKnownTags: false });
  const [document, second] = Array.isArray(parsed) ? parsed : [];
  if (document === undefined) throw refusal(`${name} is empty.`);
  const [error] = document.errors;
  if (error !== undefined) throw refusal(`${at(error.pos[0])}: ${complaintOf(error, text)}.`);
  if (second !== undefined)
    throw refusal(`${at(second.range[0])}: there is a second document; one file is one task definition.`);
  if (!isMap(document.contents)) throw refusal(`${at(0)}: a task definition is an object with members such as family.`);
  return { content: contentOf(name, document), whereIs: (path) => at(offsetOf(document, path)) };
}

function contentOf(name: string, document: Document): Record<string, unknown> {
  try {
    // As JSON carries it, which also refuses an anchor that contains itself.
    const { $schema: _forEditors, ...content } = JSON.parse(JSON.stringify(document.toJS()));
    return content;
  } catch (error) {
    throw refusal(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}.`);
  }
}

/** Follows the path as far as it leads. */
function offsetOf(document: Document, path: string): number {
  const steps = [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([name, index]) =>
    index === undefined ? name : Number(index),
  );
  for (let depth = steps.length; depth > 0; depth -= 1) {
    const parent = depth === 1 ? document.contents : document.getIn(steps.slice(0, depth - 1), true);
    const last = steps[depth - 1];
    // Of a member its name is shown, of an element of a list the element.
    const key = isMap(parent)
      ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === last)?.key
      : document.getIn(steps.slice(0, depth), true);
    if (isNode(key) && key.range) return key.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

/** JSON's own words for what looks like JSON: YAML's speak of flow collections and their indentation. */
function complaintOf(error: YAMLError, text: string): string {
  if (error.code === 'DUPLICATE_KEY') return 'this member is there twice';
  const words = (looksLikeJson(text) ? jsonComplaint(text) : undefined) ?? error.message;
  return `${words.slice(0, 1).toLowerCase()}${words.slice(1)}`.replace(/\.$/, '');
}

const looksLikeJson = (text: string): boolean => text.trimStart().startsWith('{');

function jsonComplaint(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message
      .replace(/ at position .*$|, (".*|\.\.\..*)$/s, '')
      .replace(/ in JSON$/, '')
      .replace('of JSON input', 'of the file');
  }
}

const refusal = (message: string): GantryError =>
  new GantryError('InvalidParameterException', message, {
    hint: 'A task definition is one JSON or YAML object; examples/hello.json is one.',
  });
