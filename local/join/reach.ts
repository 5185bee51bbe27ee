/** Whether a control plane can be reached and trusted from this machine, asked before anything is changed on it. */
import { connect } from 'node:net';
import { authorityOf, trustAuthority } from '../../client/authority.ts';
import { connectionError } from '../../client/failures.ts';
import { GantryError } from '../../core/errors.ts';
import { parseJoinToken } from '../../core/join-token.ts';

const answerTimeoutMs = 10_000;

export interface Trust {
  readonly token: string | undefined;
  /** PEM, that was given. */
  readonly given: string | undefined;
  /** PEM, of the join before. */
  readonly known: string | undefined;
}

/** Answers the authority to keep (PEM), if its certificate is from one that machines do not trust anyway. */
export async function trustOf(url: URL, { token, given, known }: Trust): Promise<string | undefined> {
  const pin = token === undefined ? undefined : pinIn(token);
  if (url.protocol === 'http:') {
    if (pin === undefined && given === undefined) return undefined;
    throw new GantryError(
      'InvalidParameterException',
      `${url.href} is plain HTTP, and ${pin === undefined ? '--tls-ca names an authority' : 'the token is of a control plane that speaks TLS'}.`,
      {
        field: 'url',
        hint: `Say https://${url.host}: with http:// nobody knows who answers.`,
      },
    );
  }
  const authority = given ?? (pin === undefined ? known : await authorityOf(url, pin));
  if (authority !== undefined) trustAuthority(authority);
  return authority;
}

function pinIn(token: string): string | undefined {
  const parsed = parseJoinToken(token);
  if (parsed !== undefined) return parsed.pin;
  throw new GantryError('InvalidParameterException', 'That is no join token.', {
    field: 'token',
    hint: 'It begins with gantry-join- and is pasted whole: `gantry join-token`, where the control plane is reached, makes one.',
  });
}

/** Answers this machine's address on the way there. Throws a GantryError that says why it cannot be reached, and what to do. */
export async function reach(url: URL): Promise<string> {
  const address = await localAddress(url);
  let answer: Response;
  try {
    answer = await fetch(`${url.href.replace(/\/$/, '')}/healthz`, { signal: AbortSignal.timeout(answerTimeoutMs) });
  } catch (error) {
    throw unreachable(url, error);
  }
  await answer.body?.cancel();
  if (answer.ok) return address;
  throw new GantryError(
    'ServiceUnavailableException',
    `${url.href} answers ${answer.status}, not as a Gantry control plane.`,
    {
      hint: 'Is that its address and port? `gantry up` says it when it is ready.',
    },
  );
}

function localAddress(url: URL): Promise<string> {
  const { hostname, protocol, port } = url;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      timeout: answerTimeoutMs,
    });
    socket.once('connect', () => {
      resolve(socket.localAddress ?? '');
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer in ${answerTimeoutMs / 1000} s`)));
    socket.once('error', (error) => reject(unreachable(url, error)));
  });
}

const otherAddress =
  'Take the address that other machines reach (`gantry up --tls --listen 0.0.0.0`), see that a firewall lets this one through, and, ' +
  'where its certificate is not trusted, a token with a pin or --tls-ca.';

/** What the client says of it, where that is about certificates; else what somebody who joins can do. */
function unreachable(url: URL, error: unknown): GantryError {
  const { code, message, hint = '' } = connectionError(url.origin, error);
  const isHidden = hint.includes('gantry up') || hint.includes('gantry login');
  return new GantryError(code, message, {
    hint: isHidden ? otherAddress : hint,
    cause: error,
  });
}
