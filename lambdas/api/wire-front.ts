/**
 * Undoes what stands before the wire endpoint: it renames X-Amz-Target, which API Gateway is likely to refuse, and hands the host that
 * the client signed on under a name of its own. Both are part of what the client signed, so a forged one only breaks the signature.
 */
import type { HttpEvent } from '../http.ts';

const renamed = { 'x-gantry-amz-target': 'x-amz-target', 'x-gantry-host': 'host' } as const;

export function asSigned(event: HttpEvent): HttpEvent {
  if (event.rawPath !== '/') return event;
  const headers = { ...event.headers };
  for (const [sent, signed] of Object.entries(renamed)) {
    const value = headers[sent];
    if (value === undefined) continue;
    headers[signed] = value;
    delete headers[sent];
  }
  return { ...event, headers };
}
