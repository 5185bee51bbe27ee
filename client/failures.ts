/** Failed requests as GantryErrors: what the control plane said, or why it cannot be reached. */
import { z } from 'zod';
import { type ErrorCode, errorTraits, GantryError } from '../core/errors.ts';

const problemSchema = z.object({
  code: z.string(),
  detail: z.string(),
  field: z.string().optional(),
  hint: z.string().optional(),
  resourceIds: z.array(z.string()).optional(),
});

export async function problemError(response: Response): Promise<GantryError> {
  const text = await response.text();
  return (
    errorOf(parseJson(text)) ??
    new GantryError('ServerException', `${response.url} answered ${response.status}: ${text.slice(0, 300)}`, {
      hint: 'Is this the address of a Gantry control plane?',
    })
  );
}

/** Of the last line of a stream that broke; undefined of any other. */
export function streamError(line: unknown): GantryError | undefined {
  return typeof line === 'object' && line !== null && 'problem' in line ? errorOf(line.problem) : undefined;
}

function errorOf(value: unknown): GantryError | undefined {
  const problem = problemSchema.safeParse(value);
  if (!problem.success || !isErrorCode(problem.data.code)) return undefined;
  const { code, detail, field, hint, resourceIds } = problem.data;
  return new GantryError(code, detail, {
    ...(field !== undefined && { field }),
    ...(hint !== undefined && { hint }),
    ...(resourceIds !== undefined && { resourceIds }),
  });
}

export function connectionError(endpoint: string, error: unknown): GantryError {
  // fetch says only that it failed; its cause says why.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new GantryError('ServiceUnavailableException', `The control plane at ${endpoint} cannot be reached: ${why}.`, {
    hint: 'Is it up? `gantry up` starts one on this machine; --endpoint or GANTRY_ENDPOINT names another.',
    cause: error,
  });
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTraits, code);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not from a control plane: the caller shows the text.
  }
}
