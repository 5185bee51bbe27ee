/** Errors on REST: application/problem+json (RFC 9457) with ECS' name as `code`. */
import { z } from 'zod';
import { errorTraits, type GantryError } from '../../core/errors.ts';

/** As the OpenAPI document describes it and the typed client reads it. */
export const problemSchema = z.object({
  /** ECS' name of the error. */
  code: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  field: z.string().optional(),
  hint: z.string().optional(),
  resourceIds: z.array(z.string()).optional(),
  requestId: z.string(),
});
export type Problem = z.infer<typeof problemSchema>;

export function problemOf(error: GantryError, requestId: string): Problem {
  return {
    code: error.code,
    title: error.code.replace(/Exception$/, '').replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' '),
    status: errorTraits[error.code].restStatus,
    detail: error.message,
    ...(error.field !== undefined && error.field !== '' && { field: error.field }),
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(error.resourceIds !== undefined && { resourceIds: [...error.resourceIds] }),
    requestId,
  };
}

export function problemResponse(error: GantryError, requestId: string): Response {
  const { restStatus, retryable } = errorTraits[error.code];
  return new Response(JSON.stringify(problemOf(error, requestId)), {
    status: restStatus,
    headers: {
      'content-type': 'application/problem+json',
      'x-amzn-requestid': requestId,
      ...(retryable && { 'retry-after': '1' }),
    },
  });
}
