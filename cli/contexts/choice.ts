/**
 * Which control plane is meant: what an option names goes before what the environment names, that before the context in use, and that
 * before the cloud on this machine. The file of contexts is read only where it decides.
 */
import { GantryError } from '../../core/errors.ts';
import { type Context, type ContextBook, contextNamed, localName } from './book.ts';

export interface NamedControlPlane {
  readonly endpoint?: string;
  readonly context?: string;
}

export type Choice =
  | { readonly kind: 'endpoint'; readonly by: string; readonly endpoint: string }
  | { readonly kind: 'context'; readonly by: string; readonly name: string; readonly context: Context }
  /** `by` is absent where nothing else was named. */
  | { readonly kind: 'local'; readonly by?: string };

export function chosen(
  named: NamedControlPlane,
  env: Readonly<Record<string, string | undefined>>,
  read: () => ContextBook,
): Choice {
  if (named.endpoint !== undefined && named.context !== undefined)
    throw new GantryError('InvalidParameterException', '--endpoint and --context each name a control plane.', {
      hint: 'Give one of them. `gantry login NAME --endpoint URL` gives a context another address.',
    });
  if (named.endpoint !== undefined) return { kind: 'endpoint', by: '--endpoint', endpoint: named.endpoint };
  if (named.context !== undefined) return byName(named.context, '--context', read);
  const { GANTRY_ENDPOINT, GANTRY_CONTEXT, AWS_ENDPOINT_URL_ECS } = env;
  if (isSet(GANTRY_ENDPOINT)) return { kind: 'endpoint', by: 'GANTRY_ENDPOINT', endpoint: GANTRY_ENDPOINT };
  if (isSet(GANTRY_CONTEXT)) return byName(GANTRY_CONTEXT, 'GANTRY_CONTEXT', read);
  if (isSet(AWS_ENDPOINT_URL_ECS))
    return { kind: 'endpoint', by: 'AWS_ENDPOINT_URL_ECS', endpoint: AWS_ENDPOINT_URL_ECS };
  const { current } = read();
  return current === undefined ? { kind: 'local' } : byName(current, 'gantry contexts use', read);
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== '';

const byName = (name: string, by: string, read: () => ContextBook): Choice =>
  name === localName ? { kind: 'local', by } : { kind: 'context', by, name, context: contextNamed(read(), name) };
