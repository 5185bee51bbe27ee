/** Tables of requests that are refused: by which code, at which member, in which words. */
import { expect, it } from 'vitest';

export type Wrong = readonly [what: string, request: object, field: string, message: string | RegExp];

export const refusals = (rows: readonly Wrong[], act: (request: object) => unknown, code = 'ClientException') =>
  it.each(rows)('%s', (_, request, field, message) => {
    expect(() => act(request)).toThrow(
      expect.objectContaining({ code, field, message: expect.stringMatching(message) }),
    );
  });
