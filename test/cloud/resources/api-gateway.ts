/** AWS::ApiGatewayV2::Api, Integration, Route and Stage, of HTTP and of WebSocket APIs. */
import { z } from 'zod';
import { HttpApi } from '../gateway/http-api.ts';
import { WebSocketApi } from '../gateway/web-socket-api.ts';
import type { World } from '../world.ts';
import { number, propertiesOf, type Reader } from './reader.ts';

export const api: Reader = async (wanted) => {
  const { world, logicalId, former } = wanted;
  if (former !== undefined) return former;
  const { ProtocolType } = propertiesOf(z.object({ ProtocolType: z.enum(['HTTP', 'WEBSOCKET']) }), wanted);
  const { region, accountId } = world.options;
  const apiId = world.digest(logicalId, 10);
  const options = { apiId, region, accountId, identities: world.identities };
  const host = `${apiId}.execute-api.${region}.amazonaws.com`;
  if (ProtocolType === 'HTTP') {
    const made = new HttpApi(options);
    await made.start();
    world.httpApis.set(apiId, made);
    world.addresses.set(host, made.authority);
  } else {
    const made = new WebSocketApi(options);
    await made.start();
    world.webSocketApis.set(apiId, made);
    world.addresses.set(host, made.authority);
  }
  const scheme = ProtocolType === 'HTTP' ? 'https' : 'wss';
  return { id: apiId, attributes: { ApiId: apiId, ApiEndpoint: `${scheme}://${host}` } };
};

const integrationSchema = z.object({
  ApiId: z.string(),
  IntegrationType: z.enum(['AWS_PROXY', 'MOCK']),
  IntegrationUri: z.string().optional(),
  PayloadFormatVersion: z.string().optional(),
  TimeoutInMillis: number.optional(),
});

/** API Gateway's longest: 30 s of HTTP, 29 s of WebSocket APIs. */
const longestMs = { http: 30_000, webSocket: 29_000 };

export const integration: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const properties = propertiesOf(integrationSchema, wanted);
  const isHttp = world.httpApis.has(properties.ApiId);
  if (isHttp && properties.PayloadFormatVersion !== '2.0')
    throw new Error(`${logicalId}: payload format 2.0 is needed`);
  const timeoutMs = properties.TimeoutInMillis ?? (isHttp ? longestMs.http : longestMs.webSocket);
  const isMock = properties.IntegrationType === 'MOCK';
  world.integrations.set(logicalId, {
    target: isMock ? 'mock' : world.functionOf(properties.IntegrationUri ?? ''),
    timeoutMs,
  });
  return { id: logicalId, attributes: {} };
};

const routeSchema = z.object({
  ApiId: z.string(),
  RouteKey: z.string(),
  Target: z.string().startsWith('integrations/'),
  AuthorizationType: z.enum(['NONE', 'AWS_IAM']).default('NONE'),
});

export const route: Reader = (wanted) => {
  const { world, logicalId, former } = wanted;
  const { ApiId, RouteKey, Target, AuthorizationType } = propertiesOf(routeSchema, wanted);
  const integrated = world.integrations.get(Target.slice('integrations/'.length));
  if (integrated === undefined) throw new Error(`${logicalId}: there is no integration ${Target}`);
  const { target, timeoutMs } = integrated;
  if (target !== 'mock') checkPermission(world, logicalId, target.config.arn, routeArn(world, ApiId, RouteKey));
  const http = world.httpApis.get(ApiId);
  if (former !== undefined) return former;
  if (http === undefined) world.webSocketApis.get(ApiId)?.routes.set(RouteKey, target);
  else if (target === 'mock') throw new Error(`${logicalId}: an HTTP API has no mock integration`);
  else http.routes = [...http.routes, { key: RouteKey, authorization: AuthorizationType, target, timeoutMs }];
  return { id: logicalId, attributes: {} };
};

function routeArn(world: World, apiId: string, routeKey: string): string {
  const [method = '', path = ''] = routeKey.split(' ');
  const pattern = path === '' ? method : `${method === 'ANY' ? '*' : method}${path}`;
  return world.arn('execute-api', `${apiId}/*/${pattern}`);
}

/** The function's own policy must let the gateway call it from this route. */
function checkPermission(world: World, logicalId: string, functionArn: string, sourceArn: string): void {
  world.afterwards.push(() => {
    const allowed = world.permissions.some(
      (permission) =>
        permission.functionArn === functionArn &&
        permission.principal === 'apigateway.amazonaws.com' &&
        covers(permission.sourceArn ?? '*', sourceArn),
    );
    if (!allowed) throw new Error(`${logicalId}: no permission lets API Gateway call ${functionArn} for ${sourceArn}`);
  });
}

function covers(pattern: string, arn: string): boolean {
  const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`).test(arn);
}

export const stage: Reader = (wanted) => {
  const { world } = wanted;
  const { ApiId, StageName } = propertiesOf(z.object({ ApiId: z.string(), StageName: z.string() }), wanted);
  world.httpApis.get(ApiId)?.deploy(StageName);
  world.webSocketApis.get(ApiId)?.deploy(StageName);
  return { id: StageName, attributes: {} };
};
