/**
 * Who asks. Below /v1 the gateway has verified the signature and asked IAM, which decides by method and path: whom it lets through may
 * do what he asks for. The wire endpoint has no authorizer, so its requests are verified here, with keys of Gantry.
 */
import { z } from 'zod';
import type { Authenticator } from '../../control/http/auth/authenticator.ts';
import type { Principal } from '../../control/operations/context.ts';
import { GantryError } from '../../core/errors.ts';
import { everyRight } from '../../core/model/rights.ts';

/** Of the event that the gateway sends, as Hono's adapter hands it on. */
const platformSchema = z.object({
  requestContext: z.object({
    http: z.object({ path: z.string() }),
    authorizer: z.object({ iam: z.object({ userArn: z.string().startsWith('arn:') }) }),
  }),
});

export const lambdaAuthenticator = (wire: Authenticator): Authenticator => ({
  async authenticate(request, platform) {
    if (request.url.pathname === '/') return wire.authenticate(request, platform);
    return iamPrincipal(platform, request.url.pathname);
  },
});

function iamPrincipal(platform: unknown, servedPath: string): Principal {
  const parsed = platformSchema.safeParse(platform);
  if (!parsed.success)
    throw new GantryError('MissingAuthenticationTokenException', 'Missing Authentication Token', {
      hint: 'Sign the request with AWS credentials for the service execute-api; its route must have IAM authorization.',
    });
  const { http, authorizer } = parsed.data.requestContext;
  // Who parses a URL folds `..` and `\` away; IAM has decided on the path as it was sent.
  if (decoded(http.path) !== decoded(servedPath))
    throw new GantryError('AccessDeniedException', `${http.path} is not the path that it leads to.`, {
      hint: `Ask for ${servedPath}.`,
    });
  return { arn: authorizer.iam.userArn, ...everyRight };
}

/** Gateways hand paths on decoded, others encode them again: neither is a difference. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // Has a bare `%`, which the other then has not.
  }
}
