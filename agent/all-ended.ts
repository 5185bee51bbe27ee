/**
 * Promise.all that goes on to the end of everything before it tells a failure (the first in order), so that nothing is still being made
 * when somebody begins to take it away.
 */
export async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  const failure = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
