/** Streams that break: which are taken up again, for how long, and what is said. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { resumed } from '../../client/resume.ts';
import { GantryError } from '../../core/errors.ts';

/** Each call of `open` carries the next list to its end, or to its error. */
function streams<T>(...parts: readonly (readonly (T | Error)[])[]) {
  const opened: number[] = [];
  async function* open(): AsyncGenerator<T> {
    const part = parts[Math.min(opened.length, parts.length - 1)] ?? [];
    opened.push(opened.length);
    for (const item of part) {
      if (item instanceof Error) throw item;
      yield item;
    }
  }
  return { open, opened };
}

const passing = new GantryError('ServiceUnavailableException', 'away');
const lasting = new GantryError('ResourceNotFoundException', 'gone');
const signal = new AbortController().signal;

describe('a stream', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each([
    ['a connection that broke', new Error('terminated')],
    ['an error that passes', passing],
  ])('is taken up again after %s, which is told once', async (_, error) => {
    const { open } = streams<number>([1, error], [error], [2]);
    const told: unknown[] = [];
    const items: number[] = [];
    for await (const item of resumed(open, { signal, isWhole: () => true, onBreak: (why) => told.push(why) }))
      items.push(item);
    expect(items).toEqual([1, 2]);
    expect(told).toEqual([error]);
  });

  it('is not taken up after an error that does not pass', async () => {
    const { open, opened } = streams<number>([1, lasting]);
    const lines = resumed(open, { signal, isWhole: () => true });
    await lines.next();
    await expect(lines.next()).rejects.toBe(lasting);
    expect(opened).toHaveLength(1);
  });

  it('is taken up where it ended too early', async () => {
    const { open } = streams<number>([1], [2]);
    const items: number[] = [];
    for await (const item of resumed(open, { signal, isWhole: () => items.includes(2) })) items.push(item);
    expect(items).toEqual([1, 2]);
  });

  it('is given up half a minute after the last word', async () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 16_000));
    const { open, opened } = streams<number>([passing]);
    await expect(resumed(open, { signal, isWhole: () => true }).next()).rejects.toBe(passing);
    expect(opened).toHaveLength(2);
  });

  it('ends when it is told to, also between two tries', async () => {
    const stop = new AbortController();
    const { open, opened } = streams<number>([passing]);
    const ending = resumed(open, { signal: stop.signal, isWhole: () => true, onBreak: () => stop.abort() }).next();
    await expect(ending).rejects.toMatchObject({ name: 'AbortError' });
    expect(opened).toHaveLength(1);
  });
});
