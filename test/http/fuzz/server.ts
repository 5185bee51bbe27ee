/**
 * A process with a control plane that is fuzzed from outside: nothing else is in it, so that what is measured is what the server holds.
 * Forked with --expose-gc; see messages.ts for what it is told and answers.
 */
import type { Told } from './messages.ts';
import { openWorld } from './world.ts';

const world = await openWorld();

async function answer(told: Told): Promise<unknown> {
  switch (told.kind) {
    case 'open':
      return { keys: world.keys, now: world.now() };
    case 'tend':
      return world.tend();
    case 'ask': {
      const answers = [];
      for (const request of told.requests) answers.push(await world.ask(request));
      return answers;
    }
    case 'measure': {
      // The last resort gives pages back that are merely free.
      for (let round = 0; round < 3; round += 1)
        globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      const { heapUsed, rss } = process.memoryUsage();
      return { heapUsed, rss: rss - world.cached() };
    }
    case 'close':
      await world[Symbol.asyncDispose]();
      return undefined;
  }
}

process.on('message', (told: Told) => {
  void answer(told).then((said) => {
    process.send?.({ said });
    if (told.kind === 'close') process.disconnect();
  });
});
