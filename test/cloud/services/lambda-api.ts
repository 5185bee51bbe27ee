/** Lambda's own API, as far as functions here call it: Invoke, asynchronously. */
import { text } from 'node:stream/consumers';
import { type LoopbackServer, startLoopback } from '../../ec2/loopback.ts';
import { denialMessage, type Identities } from '../iam/identities.ts';
import type { LambdaFunction } from '../lambda/lambda-function.ts';

/** `functionOf` throws where there is none. */
export const startLambdaApi = (
  identities: Identities,
  functionOf: (name: string) => LambdaFunction,
): Promise<LoopbackServer> =>
  startLoopback(async (request, response) => {
    const body = await text(request);
    const [, name] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url ?? '') ?? [];
    const isAsynchronous = request.headers['x-amz-invocation-type'] === 'Event';
    if (request.method !== 'POST' || name === undefined || !isAsynchronous)
      return void response.writeHead(501).end(`${request.method} ${request.url} does not exist on this loopback`);
    const target = functionOf(decodeURIComponent(name));
    const identity = identities.ofHeader(request.headers.authorization);
    const call = { action: 'lambda:InvokeFunction', resource: target.config.arn };
    if (identity === undefined || !identities.allows(identity, call)) {
      const message = identity === undefined ? 'unknown key' : denialMessage(identity, call);
      return void response.writeHead(403).end(JSON.stringify({ Message: message }));
    }
    // Nobody hears what comes of it; what failed shows in the function's invocations.
    void target.invoke(JSON.parse(body));
    response.writeHead(202).end();
  });
