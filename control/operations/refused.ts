/** Operations that place tasks, with each of their refusals told as an event. What tells is loaded when something is refused. */
import type { Call, Placed } from '../events/refusals.ts';
import type { OperationContext } from './context.ts';

const refusals = () => import('../events/refusals.ts');

export function toldWhereRefused<Wish extends Omit<Call, 'operation'>, Answer extends Placed>(
  operation: Call['operation'],
  run: (context: OperationContext, input: Wish) => Promise<Answer>,
) {
  return async (context: OperationContext, input: Wish): Promise<Answer> => {
    const call = { ...input, operation };
    let answer: Answer;
    try {
      answer = await run(context, input);
    } catch (error) {
      await (await refusals()).tellOfError(context, call, error);
      throw error;
    }
    if (answer.failures.length > 0) await (await refusals()).tellOfFailures(context, call, answer);
    return answer;
  };
}
