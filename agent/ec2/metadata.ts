/**
 * The instance metadata service, version 2 alone: what this instance is, and its role's credentials. Asks each time; remembers nothing
 * but the session token. Retrying is the caller's business.
 */

const defaultEndpoint = 'http://169.254.169.254';
const tokenLifetimeSeconds = 21_600;
/** It answers from the machine that the instance runs on. */
const timeoutMs = 2000;

/** No answer, or not the one that was asked for. The message is a sentence. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
}

export interface InstanceMetadata {
  /** An item below `/latest/meta-data/`; undefined where there is none of that name. Throws MetadataError. */
  read(item: string): Promise<string | undefined>;
}

/** @param endpoint as AWS_EC2_METADATA_SERVICE_ENDPOINT has it */
export function openMetadata(endpoint: string = defaultEndpoint): InstanceMetadata {
  let token: Promise<string> | undefined;

  const newToken = async (): Promise<string> => {
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': String(tokenLifetimeSeconds) };
    const answer = await ask(new URL('/latest/api/token', endpoint), { method: 'PUT', headers });
    if (answer.status !== 200)
      throw new MetadataError(`Instance metadata gives no token (HTTP status ${answer.status}).`);
    return answer.body;
  };
  const askFor = async (item: string): Promise<Answer> => {
    token ??= newToken();
    const mine = token;
    const forget = () => {
      if (token === mine) token = undefined;
    };
    mine.catch(forget);
    const headers = { 'x-aws-ec2-metadata-token': await mine };
    const answer = await ask(new URL(`/latest/meta-data/${item}`, endpoint), { headers });
    if (answer.status === 401) forget();
    return answer;
  };

  return {
    async read(item) {
      let answer = await askFor(item);
      if (answer.status === 401) answer = await askFor(item); // The token was old.
      if (answer.status === 404) return undefined;
      if (answer.status === 200) return answer.body.trim();
      throw new MetadataError(`Instance metadata answers HTTP status ${answer.status} for ${item}.`);
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(url: URL, options: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(url, { ...options, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.status, body: await response.text() };
  } catch (error) {
    throw new MetadataError(`Instance metadata at ${url.origin} does not answer.`, { cause: error });
  }
}
