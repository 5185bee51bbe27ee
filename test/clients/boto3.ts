/** The unmodified boto3 with its paginators, its waiters and its classes of exceptions. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ClientRefusal, type EcsClient, inWords } from './ecs-client.ts';
import { startLineWorker } from './line-worker.ts';
import { pythonProgram } from './programs.ts';

const answerSchema = z.union([z.object({ answer: z.unknown() }), z.object({ code: z.string(), message: z.string() })]);

export function startBoto3(env: NodeJS.ProcessEnv): EcsClient & AsyncDisposable {
  const program = fileURLToPath(new URL('boto3-client.py', import.meta.url));
  const worker = startLineWorker(pythonProgram('boto3', 'python'), [program], env);
  const ask = async (question: object): Promise<unknown> => {
    const answer = answerSchema.parse(await worker.ask(question));
    if ('code' in answer) throw new ClientRefusal(answer.code, answer.message);
    return answer.answer;
  };
  return {
    lacks: [],
    call: (operation, input = {}) => ask({ call: inWords(operation, '_'), input }),
    list: (operation, input = {}) => ask({ list: inWords(operation, '_'), input }),
    async wait(waiter, input) {
      await ask({ wait: waiter.replace('-', '_'), input });
    },
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}
