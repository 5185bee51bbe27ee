/** The HTTP API: REST behind IAM, the ECS wire protocol and the hosts' routes behind their own signatures, and its log. */
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as apigatewayv2 from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Functions } from './functions.ts';

export interface Throttle {
  readonly rateLimit: number;
  readonly burstLimit: number;
}

export interface HttpApiOptions {
  readonly functions: Pick<Functions, 'api' | 'hosts'>;
  /** Of the whole API. */
  readonly throttle: Throttle;
  /** Of the wire route, which anybody may call, so that it cannot use up what hosts and REST need. */
  readonly wireThrottle: Throttle;
  /** Undefined: no access log. */
  readonly accessLogRetention: logs.RetentionDays | undefined;
}

const { GET, POST, ANY } = apigatewayv2.HttpMethod;
const wireRoute = { path: '/', method: POST } as const;

export class GatewayHttpApi {
  readonly api: apigatewayv2.HttpApi;
  /** Without a slash at its end: the stage is `$default`, so that no prefix gets into signed paths. */
  readonly url: string;

  constructor(scope: Construct, options: HttpApiOptions) {
    this.api = new apigatewayv2.HttpApi(scope, 'HttpApi', {
      apiName: 'Gantry',
      description: 'Gantry: REST, the ECS wire protocol, and the routes of hosts.',
      createDefaultStage: false,
    });
    this.url = `https://${this.api.apiId}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}`;
    const routes = this.addRoutes(options.functions);
    this.addStage(scope, options).node.addDependency(...routes);
  }

  private addRoutes({ api, hosts }: HttpApiOptions['functions']): apigatewayv2.HttpRoute[] {
    // One permission for the whole API instead of one a route: the routes are all that there is.
    const toApi = new HttpLambdaIntegration('Api', api, { scopePermissionToRoute: false });
    const toHosts = new HttpLambdaIntegration('Hosts', hosts, { scopePermissionToRoute: false });
    const rest = this.api.addRoutes({
      path: '/v1/{proxy+}',
      methods: [ANY],
      integration: toApi,
      authorizer: new HttpIamAuthorizer(),
    });
    const wire = this.api.addRoutes({ path: wireRoute.path, methods: [wireRoute.method], integration: toApi });
    const open = ['/healthz', '/readyz', '/openapi.json', '/docs'].flatMap((path) =>
      this.api.addRoutes({ path, methods: [GET], integration: toApi }),
    );
    const ofHosts = this.api.addRoutes({ path: '/hosts/v1/{proxy+}', methods: [ANY], integration: toHosts });
    for (const route of wire)
      acknowledge(route, {
        'AwsSolutions-APIG4':
          "Signatures of the ECS protocol cover the body, which no authorizer sees: 'api' verifies them.",
      });
    for (const route of ofHosts)
      acknowledge(route, {
        'AwsSolutions-APIG4': "A host signs with a key of its own, which IAM does not know: 'hosts' verifies it.",
      });
    for (const route of open)
      acknowledge(route, { 'AwsSolutions-APIG4': 'Says what is in the documentation, and whether the store answers.' });
    return [...rest, ...wire, ...open, ...ofHosts];
  }

  private addStage(scope: Construct, { throttle, wireThrottle, accessLogRetention }: HttpApiOptions): Construct {
    const stage = new apigatewayv2.HttpStage(scope, 'HttpStage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle,
      ...(accessLogRetention !== undefined && { accessLogSettings: accessLog(scope, accessLogRetention) }),
    });
    const { defaultChild } = stage.node;
    if (!(defaultChild instanceof apigatewayv2.CfnStage)) throw new Error('An HTTP stage is not made of a CfnStage.');
    defaultChild.routeSettings = {
      [`${wireRoute.method} ${wireRoute.path}`]: {
        ThrottlingRateLimit: wireThrottle.rateLimit,
        ThrottlingBurstLimit: wireThrottle.burstLimit,
      },
    };
    if (accessLogRetention === undefined)
      acknowledge(stage, { 'AwsSolutions-APIG1': 'Switched off by who made the control plane, to save its cost.' });
    return stage;
  }
}

function accessLog(scope: Construct, retention: logs.RetentionDays): apigatewayv2.IAccessLogSettings {
  const group = new logs.LogGroup(scope, 'AccessLogs', { retention, removalPolicy: RemovalPolicy.DESTROY });
  return { destination: new apigatewayv2.LogGroupLogDestination(group), format: accessLogFormat };
}

/** Short, because it is written for each request; who called, and why it was refused, stand in the functions' own logs. */
const accessLogFormat = apigateway.AccessLogFormat.custom(
  JSON.stringify({
    id: '$context.requestId',
    at: '$context.requestTimeEpoch',
    from: '$context.identity.sourceIp',
    by: '$context.identity.userArn',
    route: '$context.routeKey',
    path: '$context.path',
    status: '$context.status',
    ms: '$context.responseLatency',
    error: '$context.error.responseType',
  }),
);
