/** The WebSocket API over which hosts are woken: hosts dial it and are told to fetch; nothing else travels on it. */
import { Aws } from 'aws-cdk-lib';
import * as apigatewayv2 from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaIntegration, WebSocketMockIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards } from '../acknowledge.ts';
import type { GantryFunction } from './functions.ts';
import type { Throttle } from './http-api.ts';

const stageName = 'hosts';

export class GatewayWebSocketApi {
  readonly api: apigatewayv2.WebSocketApi;
  /** What agents dial. */
  readonly wakeUrl: string;
  /** Where frames are posted to them. */
  readonly connectionsEndpoint: string;

  private readonly scope: Construct;

  constructor(scope: Construct) {
    this.scope = scope;
    this.api = new apigatewayv2.WebSocketApi(scope, 'WebSocketApi', {
      apiName: 'Gantry hosts',
      description: 'Gantry: wakes hosts.',
      routeSelectionExpression: '$request.body.action',
    });
    const address = `${this.api.apiId}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}/${stageName}`;
    this.wakeUrl = `wss://${address}`;
    this.connectionsEndpoint = `https://${address}`;
  }

  /** Apart from making the API, because the functions that answer it must be told its address first. */
  addRoutes(hosts: lambda.IFunction, throttle: Throttle): void {
    const routes = [
      this.api.addRoute('$connect', { integration: new WebSocketLambdaIntegration('Connect', hosts) }),
      this.api.addRoute('$disconnect', { integration: new WebSocketLambdaIntegration('Disconnect', hosts) }),
      // The frame by which an agent keeps its socket open would cost an invocation, and says nothing.
      this.api.addRoute('$default', {
        integration: new WebSocketMockIntegration('KeptOpen', {
          requestTemplates: { '200': '{"statusCode": 200}' },
          templateSelectionExpression: '200',
        }),
      }),
    ];
    for (const route of routes)
      acknowledge(route, {
        'AwsSolutions-APIG4':
          "A host signs its dial with a key of its own: 'hosts' verifies it before the socket opens.",
      });
    const stage = new apigatewayv2.WebSocketStage(this.scope, 'WebSocketStage', {
      webSocketApi: this.api,
      stageName,
      autoDeploy: true,
      throttle,
    });
    stage.node.addDependency(...routes);
    acknowledge(stage, {
      'AwsSolutions-APIG1':
        "Logs of a WebSocket API need a role set for the whole account, which is not this stack's to set; 'hosts' logs each dial.",
    });
  }

  grantPost(poster: GantryFunction): void {
    const connections = `arn:${Aws.PARTITION}:execute-api:${Aws.REGION}:${Aws.ACCOUNT_ID}:${this.api.apiId}/${stageName}/POST/@connections/*`;
    poster.addToRolePolicy(
      new PolicyStatement({ sid: 'WakeHosts', actions: ['execute-api:ManageConnections'], resources: [connections] }),
    );
    acknowledgeWildcards(poster.executionRole, [connections], 'A socket has a name only once a host has dialled.');
  }
}
