/** The control plane on AWS: puts its parts (control-plane/) together. What each part is, is the part's own business. */
import { Aws, Fn, Names } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import type { Construct, IDependable } from 'constructs';
import { makeAlarms } from './control-plane/alarms.ts';
import { makeDashboard } from './control-plane/dashboard.ts';
import { grantBuying, grantWaking } from './control-plane/fleet-rights.ts';
import { type Functions, GantryFunction } from './control-plane/functions.ts';
import { GatewayHttpApi } from './control-plane/http-api.ts';
import { grantTable } from './control-plane/permissions.ts';
import { makeSealingKey } from './control-plane/sealing-key.ts';
import { makeTable, restoredTable, type TableWithStream } from './control-plane/table.ts';
import { everyMinute, readStream, sweepOnInstanceEnd, sweepOnNotices } from './control-plane/triggers.ts';
import type { StreamConsumer } from './control-plane/watched.ts';
import { GatewayWebSocketApi } from './control-plane/web-socket-api.ts';
import { ControlPlaneBase, type GantryControlPlaneAttributes, type IGantryControlPlane } from './control-plane.ts';
import {
  type ControlPlaneSettings,
  type GantryControlPlaneProps,
  type GantryThrottle,
  settingsOf,
} from './control-plane-props.ts';
import { exact } from './exact.ts';
import { ImportedControlPlane } from './imported-control-plane.ts';

type MakeFunction = (
  name: GantryFunction['shortName'],
  environment: Readonly<Record<string, string>>,
) => GantryFunction;

/**
 * A control plane: one table, an HTTP API, a WebSocket API, and the functions between them. Idle, it costs cents.
 *
 * Its deletion is refused while a host is connected or a task is live; clusters of the same stack drain theirs first.
 *
 * @example
 * const controlPlane = new GantryControlPlane(this, 'ControlPlane', { alarmTopic });
 * controlPlane.grantRead(dashboardFunction);
 */
export class GantryControlPlane extends ControlPlaneBase {
  /** A control plane that another app has deployed. */
  static fromControlPlaneAttributes(
    scope: Construct,
    id: string,
    attributes: GantryControlPlaneAttributes,
  ): IGantryControlPlane {
    return new ImportedControlPlane(scope, id, attributes);
  }

  readonly endpoint: string;
  readonly wireEndpoint: string;
  readonly apiId: string;
  readonly webSocketApiId: string;
  readonly eventBus: events.IEventBus;
  readonly table: dynamodb.ITable;
  readonly resourcesFunction: GantryFunction;
  readonly metricsServiceName: string;
  readonly metricsNamespace: string;

  constructor(scope: Construct, id: string, props: GantryControlPlaneProps = {}) {
    super(scope, id);
    const settings = settingsOf(this, props);
    this.metricsNamespace = settings.metricsNamespace;
    this.metricsServiceName = Names.uniqueResourceName(this, { maxLength: 64 });
    const stored =
      settings.restoredTable === undefined
        ? makeTable(this, settings.removalPolicy)
        : restoredTable(this, settings.restoredTable);
    this.table = stored.table;
    this.eventBus = this.makeEventBus(settings);
    const webSocketApi = new GatewayWebSocketApi(this);
    this.webSocketApiId = webSocketApi.api.apiId;
    const functions = this.makeFunctions(settings, webSocketApi);
    this.resourcesFunction = functions.resources;
    const httpApi = new GatewayHttpApi(this, {
      functions,
      throttle: settings.throttle,
      wireThrottle: settings.wireThrottle,
      accessLogRetention: settings.accessLogs ? settings.logRetention : undefined,
    });
    this.apiId = httpApi.api.apiId;
    this.endpoint = httpApi.url;
    this.wireEndpoint = settings.wireFront.bind(this, { apiUrl: httpApi.url, apiFunction: functions.api });
    webSocketApi.addRoutes(functions.hosts, settings.throttle);
    const consumers = this.addTriggers(functions, stored);
    this.watch(settings, { functions, consumers });
    this.outlivesResources = [this.addGuard()];
  }

  private makeEventBus({ events: on, eventBus }: ControlPlaneSettings): events.IEventBus {
    if (eventBus !== undefined) return eventBus;
    if (on)
      return exact<events.IEventBus>(
        new events.EventBus(this, 'EventBus', { description: 'Gantry: changes of tasks and hosts.' }),
      );
    return events.EventBus.fromEventBusName(this, 'EventBus', 'default');
  }

  private makeFunctions(settings: ControlPlaneSettings, sockets: GatewayWebSocketApi): Functions {
    const make: MakeFunction = (name, environment) => {
      const made = new GantryFunction(this, name, {
        ...settings,
        serviceName: this.metricsServiceName,
        environment: {
          GANTRY_TABLE: this.table.tableName,
          GANTRY_HEARTBEAT_SECONDS: String(settings.heartbeat.toSeconds()),
          GANTRY_RETENTION_SECONDS: String(settings.taskRetention.toSeconds()),
          ...environment,
        },
      });
      grantTable(name, this.table, made);
      return made;
    };
    const posts = { GANTRY_CONNECTIONS_ENDPOINT: sockets.connectionsEndpoint };
    const fleet = settings.fleet ? this.makeFleet(make) : undefined;
    const sealing = settings.accessKeyEncryption ? makeSealingKey(this, settings.removalPolicy) : undefined;
    const functions: Functions = {
      api: make('api', {
        ...posts,
        GANTRY_AUDIT_SECONDS: String(settings.auditRetention.toSeconds()),
        ...(settings.events && { GANTRY_EVENTS: 'true' }),
        ...(settings.keyReads !== undefined && { GANTRY_READ_RATE: rateText(settings.keyReads) }),
        ...(settings.keyMutations !== undefined && { GANTRY_MUTATION_RATE: rateText(settings.keyMutations) }),
        ...(sealing !== undefined && { GANTRY_KEY_ARN: sealing.keyArn }),
      }),
      // Hosts are woken by others: a report gives nobody anything to fetch.
      hosts: make('hosts', {
        GANTRY_WAKE_URL: sockets.wakeUrl,
        ...(sealing !== undefined && { GANTRY_KEY_ARN: sealing.keyArn }),
      }),
      wake: make('wake', { ...posts, ...(fleet !== undefined && { GANTRY_FLEET_FUNCTION: fleet.functionName }) }),
      events: settings.events ? make('events', { GANTRY_EVENT_BUS: this.eventBus.eventBusName }) : undefined,
      sweep: make('sweep', {
        ...posts,
        ...(settings.events && { GANTRY_EVENTS: 'true' }),
        ...(sealing !== undefined && { GANTRY_KEY_ARN: sealing.keyArn }),
      }),
      fleet,
      resources: make('resources', posts),
    };
    sealing?.grantSealing(functions.api);
    for (const opener of [functions.hosts, functions.sweep]) sealing?.grantOpening(opener);
    if (functions.events !== undefined) this.eventBus.grantPutEventsTo(functions.events);
    if (fleet !== undefined) grantWaking(functions.wake, fleet);
    for (const name of ['api', 'wake', 'sweep', 'resources'] as const) sockets.grantPost(functions[name]);
    return functions;
  }

  /** It alone may launch and end instances, and those of this control plane only. */
  private makeFleet(make: MakeFunction): GantryFunction {
    // Not the table's name, which is another after a restoration; the stack's id, because two stacks may have a construct of one path.
    const name = `${this.metricsServiceName}/${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`;
    const fleet = make('fleet', { GANTRY_CONTROL_PLANE: name });
    grantBuying(fleet, name);
    return fleet;
  }

  private addTriggers({ wake, events: told, sweep, fleet }: Functions, stored: TableWithStream): StreamConsumer[] {
    everyMinute(this, sweep, 'every loop that is due.');
    if (fleet !== undefined) everyMinute(this, fleet, 'hosts are bought and ended.');
    sweepOnInstanceEnd(this, sweep);
    sweepOnNotices(this, sweep);
    const placer = readStream(this, 'wake', wake, stored);
    return told === undefined ? [placer] : [placer, readStream(this, 'events', told, stored)];
  }

  private watch(
    settings: ControlPlaneSettings,
    made: { readonly functions: Functions; readonly consumers: readonly StreamConsumer[] },
  ): void {
    const own = { namespace: this.metricsNamespace, serviceName: this.metricsServiceName };
    const watched = {
      ...made,
      controlPlane: this,
      table: this.table,
      ownMetrics: settings.metrics ? own : undefined,
    };
    if (settings.alarms) makeAlarms(this, watched, settings.alarmTopic);
    if (settings.dashboard) makeDashboard(this, watched);
  }

  /** Depends on everything, so that it goes first: where it refuses, nothing of the control plane has gone before it. */
  private addGuard(): IDependable {
    const parts = [...this.node.children];
    const guard = this.newCustomResource(this, 'Guard', { resourceType: 'Custom::GantryGuard' });
    guard.node.addDependency(...parts);
    return guard;
  }
}

/** As the function reads it. */
const rateText = ({ rateLimit, burstLimit }: GantryThrottle): string => `${rateLimit}/${burstLimit}`;
