/**
 * The path that every call takes, whatever its transport: parse the input, ask the policy, call the handler, write it down. And the one
 * place where what was thrown becomes one of our errors.
 */
import type { z } from 'zod';
import { isMutating, type Operation } from '../../core/api/operation.ts';
import { type OperationName, operations } from '../../core/api/operations.ts';
import { GantryError } from '../../core/errors.ts';
import type { Handlers, OperationContext } from '../operations/context.ts';
import { authorize, authorizeClusters } from './auth/policy.ts';

/** `input` is parsed JSON. Resolves with the handler's answer, Dates and all. */
export const callOperation = (
  name: OperationName,
  handlers: Handlers,
  context: OperationContext,
  input: unknown,
): Promise<unknown> => callWith(name, handlers, context, () => input);

/** The same with input that is still to be read from a request: a call that cannot be read is written down too. */
export async function callWith(
  name: OperationName,
  handlers: Handlers,
  context: OperationContext,
  read: () => unknown,
): Promise<unknown> {
  const operation: Operation = operations[name];
  const run = (within: OperationContext, input: unknown): Promise<unknown> => {
    authorize(within.principal, operation.action);
    const parsed = operation.input.safeParse(input);
    if (!parsed.success) throw inputError(parsed.error, input);
    authorizeClusters(within.principal, operation, Object(parsed.data));
    // The table pairs each schema with its handler; TypeScript cannot follow a name through both.
    const handler = handlers[name] as (context: OperationContext, input: unknown) => Promise<unknown>;
    return handler(within, parsed.data);
  };
  if (context.deps.settings.auditSeconds === 0 || !isMutating(operation)) return run(context, read());
  const { audited } = await import('../audit/audited-call.ts');
  return audited(operation, context, read, run);
}

/** The first thing wrong with the input, by its path, in ECS' terms. */
export function inputError(error: z.ZodError, input: unknown): GantryError {
  const issue = error.issues[0];
  if (issue === undefined) return new GantryError('SerializationException', 'The request could not be read.');
  const field = pathText(issue.path);
  const missing = issue.code === 'invalid_type' && valueAt(input, issue.path) === undefined;
  if (missing) return new GantryError('InvalidParameterException', `${field} is missing.`, { field });
  const code = issue.code === 'invalid_type' ? 'SerializationException' : 'InvalidParameterException';
  const subject = field === '' ? 'The request' : field;
  return new GantryError(code, `${subject}: ${issue.message.replace(/^Invalid input: /, '')}.`, { field });
}

/** `containerDefinitions[0].memory`. */
const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Object.getOwnPropertyDescriptor(current, part)?.value;
  }
  return current;
}

/** Anything else than a GantryError is a fault of ours: logged whole, shown as nothing but its request id. */
export function asGantryError(thrown: unknown, requestId: string, logFault: (fault: unknown) => void): GantryError {
  if (thrown instanceof GantryError) return thrown;
  logFault(thrown);
  return new GantryError('ServerException', `Something went wrong in the control plane (request ${requestId}).`, {
    hint: 'Try again; the log of the control plane has the cause under this request id.',
    cause: thrown,
  });
}
