import { expect, it } from 'vitest';
import { DownloadSlots } from '../../../agent/images/download-slots.ts';

const { signal } = new AbortController();
const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

/** Asks for a slot for each, in this order; says who has been let in, and lets go of what somebody has. */
function queue(slots: DownloadSlots) {
  const entered: { name: string; slot: Disposable }[] = [];
  const reasons: string[] = [];
  return {
    reasons,
    enter: async (pull: { name: string }, registry = 'one', until = signal) => {
      const waits = (reason: string): void => void reasons.push(reason);
      const entering = slots.enter({ pull, registry }, until, waits);
      entering.then(
        (slot) => entered.push({ name: `${pull.name} ${registry}`, slot }),
        () => {},
      );
      await new Promise(setImmediate);
      return { failed: entering };
    },
    names: () => entered.map(({ name }) => name),
    leave: async (index: number) => {
      entered[index]?.slot[Symbol.dispose]();
      entered[index]?.slot[Symbol.dispose](); // Twice is once.
      await new Promise(setImmediate);
    },
  };
}

it('lets in as many as the host may, and then whoever has the fewest', async () => {
  const { enter, names, leave, reasons } = queue(new DownloadSlots({ perHost: 3, perRegistry: 9 }));
  for (const pull of [a, a, a, a, a, b, c]) await enter(pull);
  expect(names()).toEqual(['a one', 'a one', 'a one']);
  expect(reasons[0]).toBe('it waits for its turn: this host downloads 3 layers at once');
  await leave(0);
  await leave(1);
  expect(names().slice(3), 'not those of the pull that has some already').toEqual(['b one', 'c one']);
  await leave(2);
  expect(names().slice(5)).toEqual(['a one']);
});

it('lets no more in from one registry than it may, and others past them', async () => {
  const { enter, names, leave, reasons } = queue(new DownloadSlots({ perHost: 3, perRegistry: 2 }));
  for (const pull of [a, b, c]) await enter(pull);
  await enter(c, 'two');
  expect(names()).toEqual(['a one', 'b one', 'c two']);
  expect(reasons).toEqual(['it waits for its turn: this host downloads 2 layers at once from one']);
  await leave(2);
  expect(names(), 'there is room, but not for this registry').toHaveLength(3);
  await leave(0);
  expect(names().slice(3)).toEqual(['c one']);
});

it('forgets who has given up', async () => {
  const { enter, names, leave } = queue(new DownloadSlots({ perHost: 1, perRegistry: 1 }));
  const gaveUp = new AbortController();
  await enter(a);
  const { failed } = await enter(b, 'one', gaveUp.signal);
  await enter(c);
  gaveUp.abort(new Error('stopped'));
  await expect(failed).rejects.toThrow('stopped');
  await leave(0);
  expect(names()).toEqual(['a one', 'c one']);
});
