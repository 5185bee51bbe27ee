/** The same client token with the same parameters is the same request: answered again, done once. Tokens are never forgotten. */
import { Ec2Error, invalidValue } from './errors.ts';

interface Rules<Answer> {
  /** Within which a token is unique. */
  readonly scope: string;
  /** What a repeated request is answered; the same where nothing is said. */
  readonly again?: (answer: Answer) => Answer;
}

interface Known {
  readonly parameters: string;
  /** Absent where it was refused: then it is tried again. */
  readonly answer?: unknown;
}

/** Refusals after which EC2 still remembers what the token was for (ubicloud/ubicloud#5898). */
const remembered = ['InsufficientInstanceCapacity'];

export class ClientTokens {
  readonly #known = new Map<string, Known>();

  once<Answer>(
    { scope, again = (answer) => answer }: Rules<Answer>,
    request: { readonly ClientToken?: string | undefined },
    run: () => Answer,
  ): Answer {
    const { ClientToken: token } = request;
    if (token === undefined) return run();
    if (!/^[\x20-\x7e]{1,64}$/.test(token))
      throw invalidValue('ClientToken', token, 'It must be at most 64 ASCII characters.');
    const key = `${scope} ${token}`;
    const parameters = JSON.stringify(request);
    const known = this.#known.get(key);
    if (known !== undefined && known.parameters !== parameters) {
      throw new Ec2Error(
        'IdempotentParameterMismatch',
        `Arguments on this idempotent request are inconsistent with arguments used in previous request(s). (ClientToken: ${token})`,
      );
    }
    if (known?.answer !== undefined) return again(known.answer as Answer);
    try {
      const answer = run();
      this.#known.set(key, { parameters, answer });
      return answer;
    } catch (error) {
      if (error instanceof Ec2Error && remembered.includes(error.code)) this.#known.set(key, { parameters });
      throw error;
    }
  }
}
