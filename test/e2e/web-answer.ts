/** What the container of `webTask` answers on its published port. It is RUNNING a moment before it listens there. */
import { untilAnswered } from './until-answered.ts';

export function webAnswer(url: string): Promise<string> {
  return untilAnswered(async () => await (await fetch(url)).text());
}
