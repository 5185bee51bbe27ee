/**
 * Undoes what happens to a request on its way. The front of the wire endpoint renames X-Amz-Target, which API Gateway is likely to refuse,
 * and hands the host that the client signed on under a name of its own; both are part of what was signed, so a forged one only breaks
 * the signature. And the gateway decodes the path, so that an ARN in it would be read as several parts.
 */
import type { HttpEvent } from '../http.ts';

export const asSent = (event: HttpEvent): HttpEvent =>
  event.rawPath === '/'
    ? { ...event, headers: headersAsSigned(event.headers) }
    : { ...event, rawPath: event.rawPath.replaceAll(arn, (text) => text.replaceAll('/', '%2F')) };

const renamed = { 'x-gantry-amz-target': 'x-amz-target', 'x-gantry-host': 'host' } as const;

function headersAsSigned(sent: HttpEvent['headers']): HttpEvent['headers'] {
  const headers = { ...sent };
  for (const [name, signed] of Object.entries(renamed)) {
    const value = headers[name];
    if (value === undefined) continue;
    headers[signed] = value;
    delete headers[name];
  }
  return headers;
}

/** Of what the API names by ARN; tasks and hosts in the old form too, without their cluster. */
const arn =
  /\barn:[\w-]+:ecs:[^/]*:(?:(?:cluster|task-definition)\/[\w:-]+|(?:task|container-instance)\/(?:[\w-]+\/)?[0-9a-f]{32})/g;
