/**
 * Who asks. Below /v1 the gateway has verified the signature and asked IAM, which decides by method and path: whom it lets through may
 * do what he asks for. The wire endpoint has no authorizer, so its requests are verified here, with keys of Gantry.
 */
import { z } from 'zod';
import type { Authenticator } from '../../control/http/auth/authenticator.ts';
import type { Principal } from '../../control/operations/context.ts';
import { allActions } from '../../core/api/operation.ts';
import { GantryError } from '../../core/errors.ts';

/** Of the event that the gateway sends, as Hono's adapter hands it on. */
const platformSchema = z.object({
  requestContext: z.object({
    authorizer: z.object({ iam: z.object({ userArn: z.string().startsWith('arn:') }) }),
  }),
});

export const lambdaAuthenticator = (wire: Authenticator): Authenticator => ({
  async authenticate(request, platform) {
    if (request.url.pathname === '/') return wire.authenticate(request, platform);
    return iamPrincipal(platform);
  },
});

function iamPrincipal(platform: unknown): Principal {
  const parsed = platformSchema.safeParse(platform);
  if (parsed.success) {
    return { arn: parsed.data.requestContext.authorizer.iam.userArn, actions: allActions, clusters: 'all' };
  }
  throw new GantryError('MissingAuthenticationTokenException', 'Missing Authentication Token', {
    hint: 'Sign the request with AWS credentials for the service execute-api; its route must have IAM authorization.',
  });
}
