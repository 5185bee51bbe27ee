/**
 * Asks AWS' security token service who signed a request that a host has prepared. The request goes to the address given by who wires
 * this, never to one of the host's choosing, and only its headers are the host's. Judges nothing.
 */
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { GantryError } from '../../core/errors.ts';
import { instanceProof } from '../../core/instance-proof.ts';

const callerSchema = z
  .object({ UserId: z.string(), Account: z.string(), Arn: z.string() })
  .transform(({ UserId, Account, Arn }) => ({ userId: UserId, account: Account, arn: Arn }));
/** Who signed: for a role, `userId` is the role's unique id and the session's name, `AROA…:i-…`. */
export type Caller = z.output<typeof callerSchema>;

export interface CallerIdentity {
  /** Throws AccessDeniedException where STS does not take the request, ServiceUnavailableException where it cannot be asked now. */
  whoSigned(headers: Readonly<Record<string, string>>): Promise<Caller>;
}

const timeoutMs = 5000;

/** `endpoint`: for example `https://sts.eu-central-1.amazonaws.com`. */
export const stsCallerIdentity = (endpoint: string): CallerIdentity => ({
  async whoSigned(headers) {
    const answer = await send(new URL(instanceProof.path, endpoint), headers).catch((cause: unknown) => {
      throw notNow('STS cannot be reached.', cause);
    });
    if (answer.status !== 200) throw refusalOf(answer);
    const caller = callerSchema.safeParse(membersOf(answer.body, ['UserId', 'Account', 'Arn']));
    if (caller.success) return caller.data;
    throw notNow('STS answered something that is not a caller identity.', caller.error);
  },
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Not by fetch, which sends a Host header of its own: the one that was signed must arrive, whatever address it is sent to. */
async function send(url: URL, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { method, body } = instanceProof;
  const signal = AbortSignal.timeout(timeoutMs);
  // Imported only for emulators: who imports node:http as a module waits 20 ms for the WebSocket that is among its exports.
  const open = url.protocol === 'http:' ? (await import('node:http')).request : requestHttps;
  return new Promise((resolve, reject) => {
    const request = open(url, {
      method,
      // STS answers JSON to those who ask for it, and XML otherwise.
      headers: { ...headers, accept: 'application/json', 'content-length': Buffer.byteLength(body) },
      signal,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    });
    request.end(body);
  });
}

const notNow = (message: string, cause?: unknown): GantryError =>
  new GantryError('ServiceUnavailableException', message, { hint: 'Try again.', cause });

/** In STS' own words: `Signature expired …`, `The security token included in the request is invalid` … */
function refusalOf({ status, body }: Answer): GantryError {
  const { Code = '', Message = `status ${status}` } = membersOf(body, ['Code', 'Message']);
  if (status >= 500 || status === 429 || /^(Throttling|RequestLimitExceeded)/.test(Code))
    return notNow(`STS answered ${status} ${Code}`.trimEnd());
  return new GantryError('AccessDeniedException', `STS does not take the proof of the instance's role: ${Message}`, {
    field: 'instanceProof',
    hint: 'The agent must sign with the credentials that the instance has now, and with the right time.',
  });
}

/** Members of an answer, which are in a wrapper or two: in JSON, or in XML as STS endpoints do that know no JSON. */
function membersOf<Name extends string>(answer: string, names: readonly Name[]): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  const json = parsedJson(answer);
  for (const name of names) {
    const value = json === undefined ? new RegExp(`<${name}>([^<]*)</${name}>`).exec(answer)?.[1] : within(json, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function parsedJson(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined; // XML.
  }
}

function within(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = key === name && typeof member === 'string' ? member : within(member, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
