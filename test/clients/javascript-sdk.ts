/** The unmodified JavaScript SDK with its paginators and waiters. */
import { ECS, type ECSClientConfig, ECSServiceException } from '@aws-sdk/client-ecs';
import { ClientRefusal, type EcsClient } from './ecs-client.ts';

export function startJavascriptSdk(config: ECSClientConfig): EcsClient & AsyncDisposable {
  const ecs = new ECS(config);
  const method = (name: string, ...args: readonly unknown[]): unknown => {
    const found: unknown = Reflect.get(ecs, name);
    if (typeof found !== 'function') throw new Error(`the SDK has no ${name}`);
    return Reflect.apply(found, ecs, args);
  };
  return {
    lacks: [],
    call: (operation, input = {}) => refusalsOf(async () => method(lowerFirst(operation), input)),
    list: (operation, input = {}) =>
      refusalsOf(async () => {
        const pages = method(`paginate${operation}`, input, { pageSize: 1 });
        return mergedPages(pages as AsyncIterable<object>);
      }),
    async wait(waiter, input) {
      const name = waiter === 'tasks-running' ? 'waitUntilTasksRunning' : 'waitUntilTasksStopped';
      await method(name, input, { maxWaitTime: 60, minDelay: 1, maxDelay: 1 });
    },
    async [Symbol.asyncDispose]() {
      ecs.destroy();
    },
  };
}

const lowerFirst = (name: string): string => name.slice(0, 1).toLowerCase() + name.slice(1);

async function mergedPages(pages: AsyncIterable<object>): Promise<Record<string, unknown[]>> {
  const merged: Record<string, unknown[]> = {};
  for await (const page of pages)
    for (const [name, value] of Object.entries(page))
      if (Array.isArray(value)) merged[name] = [...(merged[name] ?? []), ...value];
  return merged;
}

async function refusalsOf<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ECSServiceException) throw new ClientRefusal(error.name, error.message);
    throw error;
  }
}
