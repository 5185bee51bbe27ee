/**
 * Several control planes by name, as a YAML file keeps them: where each is, how it is signed for, and which one is used where none is
 * named. Pure: who reads and writes the file is disk.ts.
 */
import { parse, stringify, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';

const contextSchema = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/ }),
  region: z.string().min(1),
  /** Where a command names none. */
  cluster: z.string().min(1).optional(),
  /** A key of Gantry. Without one AWS credentials sign, as AWS' own tools find them, and IAM checks them. */
  key: z.strictObject({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) }).optional(),
  /** PEM: the authority that its certificate is from, where that is one of its own. */
  certificateAuthority: z.string().min(1).optional(),
});

const bookSchema = z.strictObject({
  current: z.string().optional(),
  contexts: z.record(z.string(), contextSchema).default({}),
});

/** Without `undefined` as a value: absent is absent. */
export interface Context {
  readonly endpoint: string;
  readonly region: string;
  readonly cluster?: string;
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly certificateAuthority?: string;
}

export interface ContextBook {
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

/** The cloud on this machine, which is in no file: what `gantry up` wrote says how it is reached. */
export const localName = 'local';

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Throws a GantryError that names the member at fault. */
export function parseBook(path: string, text: string): ContextBook {
  const parsed = bookSchema.safeParse(yamlOf(path, text) ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(path, `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is wrong'}`);
  }
  const { current, contexts } = parsed.data;
  return compact({
    current,
    contexts: Object.fromEntries(Object.entries(contexts).map(([name, context]) => [name, compact(context)])),
  });
}

export const bookText = (book: ContextBook): string =>
  `# Control planes of the gantry command. Secrets are in it: nobody else may read it.\n${stringify(book)}`;

export function checkName(name: string): void {
  if (name !== localName && namePattern.test(name)) return;
  throw new GantryError(
    'InvalidParameterException',
    name === localName
      ? '`local` always means the cloud on this machine, which needs no login.'
      : `A context may not be called '${name}'.`,
    { field: 'name', hint: 'Take 1 to 64 letters, digits, dots, hyphens and underscores, for example prod.' },
  );
}

/** Throws ResourceNotFoundException where there is none of this name. */
export function contextNamed({ contexts }: ContextBook, name: string): Context {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(contexts);
  throw new GantryError('ResourceNotFoundException', `There is no context '${name}'.`, {
    hint: `${known.length === 0 ? 'There are none.' : `There are ${known.join(', ')} and ${localName}.`} \`gantry login ${name} --endpoint URL\` makes one.`,
  });
}

/** Of the cloud on this machine where `name` is `local`. */
export function using(book: ContextBook, name: string): ContextBook {
  if (name !== localName) contextNamed(book, name);
  return compact({ current: name === localName ? undefined : name, contexts: book.contexts });
}

export const adding = (book: ContextBook, name: string, context: Context): ContextBook => ({
  current: name,
  contexts: { ...book.contexts, [name]: context },
});

export function without(book: ContextBook, name: string): ContextBook {
  contextNamed(book, name);
  const { [name]: _removed, ...contexts } = book.contexts;
  return compact({ current: book.current === name ? undefined : book.current, contexts });
}

function yamlOf(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw unreadable(path, error instanceof YAMLParseError ? (error.message.split('\n')[0] ?? '') : String(error));
  }
}

const unreadable = (path: string, why: string): GantryError =>
  new GantryError('InvalidParameterException', `${path} cannot be understood: ${why.replace(/[.:]$/, '')}.`, {
    hint: 'Put it right, or delete it and make its contexts again with `gantry login`.',
  });
