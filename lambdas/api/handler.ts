/** The API behind an HTTP API: REST for IAM principals and the ECS wire protocol for keys of Gantry. Everything but the event is control's. */
import type { ControlDeps } from '../../control/deps.ts';
import { createApi } from '../../control/http/app.ts';
import { sigV4Authenticator } from '../../control/http/auth/authenticator.ts';
import { wireError } from '../../control/http/aws-json.ts';
import { problemResponse } from '../../control/http/problem.ts';
import { createThrottle, type ThrottleRates } from '../../control/http/throttle.ts';
import { findAccessKey } from '../../control/keys/find-access-key.ts';
import { handlers } from '../../control/operations/registry.ts';
import { refusals } from '../capabilities.ts';
import { type HttpAnswer, type HttpEvent, httpHandler, requestIdOf } from '../http.ts';
import { asSent } from './as-sent.ts';
import { lambdaAuthenticator } from './authenticator.ts';

export function createApiHandler(deps: ControlDeps, rates: Partial<ThrottleRates> = {}) {
  const wire = sigV4Authenticator(
    { find: (accessKeyId) => findAccessKey(deps, accessKeyId) },
    { region: deps.realm.region, now: () => deps.clock.now() },
  );
  // Of this instance alone. Who is not recognised is the gateway's business, which sees where requests come from.
  const throttle = createThrottle({ rates, now: () => deps.clock.now() });
  const authenticator = lambdaAuthenticator(wire);
  const app = createApi({ deps, handlers, refusals, throttle, authenticator, requestIdOf, requestLogLevel: 'debug' });
  const answer = httpHandler(app, (event, error) =>
    (event.rawPath === '/' ? wireError : problemResponse)(error, requestIdOf(event) ?? deps.newId()),
  );
  return (event: HttpEvent): Promise<HttpAnswer> => answer(asSent(event));
}
