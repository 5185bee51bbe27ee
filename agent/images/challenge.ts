/** The `WWW-Authenticate` header (RFC 9110, section 11.6.1): how a server wants to be asked. */

export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const parameterPattern = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
const schemePattern = /[\w-]+/y;
const separatorPattern = /[\s,]*/y;

/** Every challenge of the header, in its order; what cannot be understood ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let position = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const found = pattern.exec(header);
    if (found !== null) position = pattern.lastIndex;
    return found;
  };
  for (match(separatorPattern); position < header.length; match(separatorPattern)) {
    const parameter = match(parameterPattern);
    const current = challenges.at(-1);
    if (parameter !== null && current !== undefined) {
      const [, name = '', inQuotes, bare = ''] = parameter;
      current.parameters[name.toLowerCase()] = inQuotes?.replaceAll(/\\(.)/g, '$1') ?? bare;
      continue;
    }
    const scheme = match(schemePattern);
    if (scheme === null) break;
    challenges.push({ scheme: scheme[0].toLowerCase(), parameters: {} });
  }
  return challenges;
}
