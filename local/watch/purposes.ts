/** What paths are for that are no operations of the API: in few words, for metrics and the log. */

const purposes: readonly (readonly [path: RegExp, purpose: string])[] = [
  [/^\/v1\/clusters\/[^/]+\/tasks\/[^/]+\/watch$/, 'WatchTask'],
  [/^\/v1\/clusters\/[^/]+\/tasks\/[^/]+\/logs$/, 'ReadLogs'],
  [/^\/v1\/events\/stream$/, 'StreamEvents'],
  [/^\/hosts\/v1\/(?:.+\/)?(register|desired|report|heartbeat|notice)$/, 'host '],
  [/^\/(healthz|readyz|metrics|metrics\/containers|openapi\.json|docs)$/, ''],
];

export function purposeOf(path: string): string | undefined {
  for (const [pattern, purpose] of purposes) {
    const [found, part = ''] = pattern.exec(path) ?? [];
    if (found !== undefined) return `${purpose}${part}`;
  }
  return undefined;
}
