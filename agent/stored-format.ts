/**
 * The number that each file of the agent carries of its format. An agent never guesses at what a newer one wrote, and never takes it for
 * rubbish either: it says so, and leaves everything as it is.
 */
export class NewerFormat extends Error {
  override readonly name = 'NewerFormat';
}

/**
 * Throws NewerFormat where what was stored in this file has a format that this agent does not know yet. What says nothing of its format
 * is left to whoever parses it.
 */
export function refuseNewer(
  path: string,
  stored: unknown,
  known: { readonly member: string; readonly format: number },
): void {
  const members =
    typeof stored === 'object' && stored !== null ? new Map<string, unknown>(Object.entries(stored)) : undefined;
  const format = members?.get(known.member);
  if (typeof format !== 'number' || format <= known.format) return;
  throw new NewerFormat(
    `${path} was written by a newer agent, in format ${format}; this one knows formats up to ${known.format}. Containers run on and ` +
      'nothing was changed. Install the newer agent again; to go back, stop the tasks of this host first.',
  );
}
