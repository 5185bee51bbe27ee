/**
 * What runs in the child process of one execution environment: imports the bundle once, then answers one event after the other. It
 * stands for Lambda's own runtime, so it adds nothing to the environment and knows nothing of what the function does.
 */
import { enableCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import { requestSchema } from './messages.ts';

const [entry = '', handlerName = '', compiled = ''] = process.argv.slice(2);
// Not by the environment, which is the function's alone.
if (compiled !== '') enableCompileCache(compiled);

// Whoever started it is gone: an execution environment does not outlive its platform.
process.once('disconnect', () => process.exit());

const module: Record<string, unknown> = await import(pathToFileURL(entry).href);
const handler = functionOf(module[handlerName]);

process.on('message', (message) => {
  const request = requestSchema.parse(message);
  if (request.traceId !== undefined) process.env._X_AMZN_TRACE_ID = request.traceId;
  answer(request.event, { ...request.context, getRemainingTimeInMillis: () => request.deadline - Date.now() }).then(
    (payload) => process.send?.({ kind: 'answer', payload }),
    (error: unknown) => process.send?.({ kind: 'error', ...describe(error) }),
  );
});
process.send?.({ kind: 'ready' });

function functionOf(exported: unknown): (event: unknown, context: object) => unknown {
  if (typeof exported !== 'function') throw new Error(`${entry} exports no function ${handlerName}`);
  return (event, context): unknown => exported(event, context);
}

/** As Lambda does, the answer is what `JSON.stringify` makes of it. */
async function answer(event: unknown, context: object): Promise<string> {
  return JSON.stringify(await handler(event, context)) ?? 'null';
}

function describe(error: unknown): { errorType: string; errorMessage: string } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) };
  process.stderr.write(`${error.stack}\n`);
  return { errorType: error.name, errorMessage: error.message };
}
