/** The same client token with the same parameters is the same request: answered again, done once. Tokens are never forgotten. */
import { Ec2Error } from './errors.ts';

export class ClientTokens {
  readonly #answers = new Map<string, { readonly parameters: string; readonly answer: unknown }>();

  /** What was refused is not remembered: asked again, it is tried again. */
  once<Answer>(action: string, request: { readonly ClientToken?: string | undefined }, run: () => Answer): Answer {
    const { ClientToken: token } = request;
    if (token === undefined) return run();
    const parameters = JSON.stringify(request);
    const known = this.#answers.get(`${action} ${token}`);
    if (known !== undefined && known.parameters !== parameters) {
      throw new Ec2Error(
        'IdempotentParameterMismatch',
        `Arguments on this idempotent request are inconsistent with arguments used in previous request(s). (ClientToken: ${token})`,
      );
    }
    if (known !== undefined) return known.answer as Answer;
    const answer = run();
    this.#answers.set(`${action} ${token}`, { parameters, answer });
    return answer;
  }
}
