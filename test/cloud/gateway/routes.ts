/** Which route of an HTTP API a request belongs to: the most specific one, as API Gateway chooses. Pure. */

export interface Route {
  /** `METHOD /path/{variable}/{greedy+}`, `ANY …`, or `$default`. */
  readonly key: string;
}

export interface Match<R extends Route> {
  readonly route: R;
  readonly pathParameters: Readonly<Record<string, string>>;
}

export function matchRoute<R extends Route>(routes: readonly R[], method: string, path: string): Match<R> | undefined {
  const matches = routes.flatMap((route) => matchOf(route, method, path) ?? []);
  return matches.toSorted((a, b) => b.weight - a.weight)[0];
}

function matchOf<R extends Route>(route: R, method: string, path: string): (Match<R> & { weight: number }) | undefined {
  if (route.key === '$default') return { route, pathParameters: {}, weight: -1 };
  const [wantedMethod = '', pattern = ''] = route.key.split(' ');
  if (wantedMethod !== 'ANY' && wantedMethod !== method) return undefined;
  const names = [...pattern.matchAll(/\{([^}+]+)\+?\}/g)].map(([, name = '']) => name);
  const escaped = pattern.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{[^}]+\\\+\}/g, '(.+)');
  const found = new RegExp(`^${escaped.replaceAll(/\{[^}]+\}/g, '([^/]+)')}$`, 's').exec(path);
  if (found === null) return undefined;
  const pathParameters = Object.fromEntries(names.map((name, index) => [name, found[index + 1] ?? '']));
  return { route, pathParameters, weight: weightOf(pattern, wantedMethod) };
}

/** Full matches before variables before greedy ones; a named method before ANY; a longer greedy prefix before a shorter one. */
function weightOf(pattern: string, method: string): number {
  const isGreedy = pattern.includes('+}');
  const kind = isGreedy ? 1 : pattern.includes('{') ? 2 : 3;
  const fixedPart = (pattern.split('{')[0] ?? '').length;
  return kind * 10_000 + fixedPart * 10 + (method === 'ANY' ? 0 : 1);
}
