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
  const problem = problemSchema.safeParse(parseJson(text));
  if (!problem.success || !isErrorCode(problem.data.code))
    return new GantryError('ServerException', `${response.url} answered ${response.status}: ${text.slice(0, 300)}`, {
      hint: 'Is this the address of a Gantry control plane?',
    });
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
