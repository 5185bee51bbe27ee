/** A program that answers each line of its standard input, a JSON value, by one line of its standard output. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface LineWorker extends AsyncDisposable {
  /** One question at a time. */
  ask(question: unknown): Promise<unknown>;
}

export function startLineWorker(command: string, args: readonly string[], env: NodeJS.ProcessEnv): LineWorker {
  const child = spawn(command, [...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${command} ended without an answer`);
      return JSON.parse(value);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
