/** Failed requests as GantryErrors: what the control plane said, or why it cannot be reached. */
import { z } from 'zod';
import { compact } from '../core/compact.ts';
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
  const body = parseJson(text);
  const error =
    errorOf(body) ??
    gatewayError(response, body) ??
    new GantryError('ServerException', `${response.url} answered ${response.status}: ${text.slice(0, 300)}`, {
      hint: 'Is this the address of a Gantry control plane?',
    });
  return withRequestId(error, response);
}

/** Whoever is told of a server's fault is asked which request it was. */
function withRequestId(error: GantryError, { headers }: Response): GantryError {
  const requestId = headers.get('x-amzn-requestid') ?? headers.get('apigw-requestid');
  if (requestId === null) return error;
  const { code, message, field, hint, resourceIds } = error;
  const { restStatus, retryable } = errorTraits[code];
  const isSaid = !retryable || restStatus < 500 || message.includes(requestId);
  const where = `The control plane's log has it as request ${requestId}.`;
  return new GantryError(
    code,
    message,
    compact({ field, hint: isSaid ? hint : [hint ?? [], where].flat().join(' '), resourceIds, requestId }),
  );
}

const gatewayAnswerSchema = z.object({ message: z.string() });

/** What API Gateway answers in its own words, before Gantry has seen the request or in place of an answer that did not come. */
function gatewayError({ status }: Response, body: unknown): GantryError | undefined {
  const answer = gatewayAnswerSchema.safeParse(body);
  const kind = gatewayKinds[status];
  if (!answer.success || kind === undefined) return undefined;
  return new GantryError(kind.code, `The gateway answered ${status}: ${answer.data.message}.`, { hint: kind.hint });
}

const gatewayKinds: Readonly<Record<number, { readonly code: ErrorCode; readonly hint: string }>> = {
  403: {
    code: 'AccessDeniedException',
    hint: 'Whose credentials are these (`aws sts get-caller-identity`), and do they allow execute-api:Invoke on this route?',
  },
  429: {
    code: 'ThrottlingException',
    hint: 'Ask again in a moment; docs/operating.md says which limit can be raised.',
  },
  500: { code: 'ServerException', hint: 'The function failed: its log group has the cause.' },
  503: { code: 'ServiceUnavailableException', hint: 'Ask again in a moment.' },
  504: { code: 'ServiceUnavailableException', hint: 'Ask again in a moment.' },
};

/** Of the last line of a stream that broke; undefined of any other. */
export function streamError(line: unknown): GantryError | undefined {
  return typeof line === 'object' && line !== null && 'problem' in line ? errorOf(line.problem) : undefined;
}

function errorOf(value: unknown): GantryError | undefined {
  const problem = problemSchema.safeParse(value);
  if (!problem.success || !isErrorCode(problem.data.code)) return undefined;
  const { code, detail, field, hint, resourceIds } = problem.data;
  return new GantryError(code, detail, compact({ field, hint, resourceIds }));
}

export function connectionError(endpoint: string, error: unknown): GantryError {
  // fetch says only that it failed; its cause says why.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new GantryError('ServiceUnavailableException', `The control plane at ${endpoint} cannot be reached: ${why}.`, {
    hint:
      certificateHints[code] ??
      'Is it up? `gantry up` starts one on this machine; --endpoint or GANTRY_ENDPOINT names another.',
    cause: error,
  });
}

const untrusted =
  'Its certificate is from an authority that is not trusted here: `gantry login NAME --endpoint URL --tls-pin PIN` keeps it (docs/hosts.md).';
const certificateHints: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'Use a name or an address that its certificate has, or start the control plane with --tls-name and the one that you use.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'It speaks plain HTTP: begin the address with http://.',
  UND_ERR_SOCKET: 'Where it speaks TLS, its address begins with https://.',
};

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTraits, code);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not from a control plane: the caller shows the text.
  }
}
