/** `/v1/events/stream` as an EventSource reads it: what was, what comes, and from where it goes on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../control/http/app.ts';
import { noAuthentication } from '../../control/http/auth/authenticator.ts';
import type { EventView } from '../../core/api/events.ts';
import { refusals } from '../../lambdas/capabilities.ts';
import { startWorld, type World } from '../control/support/world.ts';

let world: World;
let app: ReturnType<typeof createApi>;

beforeAll(async () => {
  world = await startWorld();
  await world.register('web');
  await world.host();
  const { deps, handlers } = world.control;
  app = createApi({ deps, handlers, authenticator: noAuthentication('000000000000') });
});
afterAll(() => world[Symbol.asyncDispose]());

const run = () => world.call('RunTask', { taskDefinition: 'web' });

interface Message {
  readonly id: string;
  readonly event: EventView;
}

interface Reading extends AsyncDisposable {
  readonly response: Response;
  /** The next so many messages. */
  next(count: number): Promise<Message[]>;
}

async function open(query = '', headers: Record<string, string> = {}): Promise<Reading> {
  const gone = new AbortController();
  const response = await app.fetch(
    new Request(`http://localhost/v1/events/stream${query}`, { headers, signal: gone.signal }),
  );
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    response,
    async next(count) {
      while (text.split('\n\n').length <= count) {
        const { value, done } = (await reader?.read()) ?? { done: true };
        if (done) throw new Error(`the stream has ended: ${text}`);
        text += value;
      }
      const parts = text.split('\n\n');
      text = parts.slice(count).join('\n\n');
      return parts.slice(0, count).map((part) => {
        const [, id = '', data = ''] = /^id: (.*)\ndata: (.*)$/.exec(part) ?? [];
        return { id, event: JSON.parse(data) };
      });
    },
    async [Symbol.asyncDispose]() {
      gone.abort();
      await reader?.cancel();
    },
  };
}

describe('the stream of events', () => {
  it('tells what happens from now on, as it happens', async () => {
    await run();
    world.advance(1);
    await using reading = await open();
    expect(reading.response.headers.get('content-type')).toBe('text/event-stream');
    const { tasks } = await run();
    const [first] = await reading.next(1);
    expect(first?.event).toMatchObject({ id: first?.id, kind: 'task', resources: [tasks[0]?.taskArn] });
    const later = await run();
    expect((await reading.next(1))[0]?.event.resources).toEqual([later.tasks[0]?.taskArn]);
  });

  it('goes on behind the event that a reader had last, with none twice and none left out', async () => {
    const { events } = await world.call('ListEvents', { order: 'oldest' });
    await run();
    await using reading = await open('', { 'last-event-id': events[0]?.id ?? '' });
    const seen = await reading.next(events.length);
    expect(seen.slice(0, -1).map(({ id }) => id)).toEqual(events.slice(1).map(({ id }) => id));
  });

  it('lets through what its filters say', async () => {
    await using reading = await open('?kind=refusal&kind=host&cluster=default');
    await run();
    await world.call('RunTask', { taskDefinition: 'nothing' }).catch(() => {});
    expect((await reading.next(1))[0]?.event).toMatchObject({ kind: 'refusal' });
  });

  it.each([
    ['?limit=5', 'limit'],
    ['?order=newest', 'order'],
    ['?colour=red', 'colour'],
    ['?after=yesterday', 'after'],
    ['?kind=rumour', 'kind[0]'],
  ])('refuses %s by its field, before it begins', async (query, field) => {
    await using reading = await open(query);
    expect(reading.response.status).toBe(400);
    expect(await (await app.fetch(new Request(`http://localhost/v1/events/stream${query}`))).json()).toMatchObject({
      code: 'InvalidParameterException',
      field,
    });
  });

  it('is refused with what to do instead where the platform cannot stream', async () => {
    const { deps, handlers } = world.control;
    const whole = createApi({ deps, handlers, refusals, authenticator: noAuthentication('000000000000') });
    const response = await whole.fetch(new Request('http://localhost/v1/events/stream'));
    expect(response.status).toBe(501);
    expect(await response.json()).toMatchObject({ hint: expect.stringContaining('ListEvents') });
  });
});
