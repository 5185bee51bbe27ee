/**
 * Traces by OpenTelemetry: a span a call, with parts for commits and placement below it, handed to a collector over OTLP/HTTP. Read from
 * the environment by OpenTelemetry's own names. Loaded only where a collector is named.
 */
import { hostname } from 'node:os';
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Tracing } from '../../control/deps.ts';
import type { EndedExchange, WatchExchange } from '../../control/http/exchange.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface OpenTracing extends Tracing {
  readonly watch: WatchExchange;
  /** Hands over what is left. */
  close(): Promise<void>;
}

export function openTracing(env: Environment): OpenTracing {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'gantry', 'host.name': hostname() }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    sampler: samplerOf(env),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('gantry');
  const contexts = new AsyncLocalStorageContextManager().enable();

  async function around<T>(span: Span, parent: Context, run: () => Promise<T>): Promise<T> {
    try {
      return await contexts.with(trace.setSpan(parent, span), run);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      span.end();
    }
  }

  return {
    within(name, about, run) {
      const parent = contexts.active();
      // What runs by itself, as loops do, is no part of anything.
      if (trace.getSpan(parent) === undefined) return run();
      return around(tracer.startSpan(name, { attributes: { ...about } }, parent), parent, run);
    },
    traceparent: () => traceparentOf(trace.getSpan(contexts.active())),
    happened(name, { traceparent, from, to, about }) {
      tracer.startSpan(name, { startTime: from, attributes: { ...about } }, contextOf(traceparent)).end(to);
    },
    watch(exchange, request, run) {
      const { transport, requestId } = exchange;
      const traceparent = request.headers.get('traceparent') ?? undefined;
      // Hosts and probes ask every few seconds: theirs are traced where they are part of a trace.
      if (transport !== 'ecs' && transport !== 'rest' && traceparent === undefined) return run();
      const parent = contextOf(traceparent);
      const attributes = { 'gantry.request_id': requestId, 'http.request.method': request.method };
      const span = tracer.startSpan('request', { kind: SpanKind.SERVER, attributes }, parent);
      return around(span, parent, async () => {
        const ended = await run();
        describe(span, ended);
        return ended;
      });
    },
    async close() {
      await provider.shutdown();
      contexts.disable();
    },
  };
}

function describe(span: Span, { operation, transport, status, error, principal }: EndedExchange): void {
  if (operation !== undefined) span.updateName(operation);
  span.setAttributes({ 'gantry.transport': transport, 'http.response.status_code': status });
  if (principal !== undefined) span.setAttribute('enduser.id', principal);
  if (error !== undefined) span.setAttribute('error.type', error);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: error ?? String(status) });
}

const traceparentPattern = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** W3C Trace Context. What is none is the beginning of a trace. */
function contextOf(traceparent = ''): Context {
  const [, traceId = '', spanId = '', flags = ''] = traceparentPattern.exec(traceparent) ?? [];
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.isSpanContextValid(remote) ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT;
}

function traceparentOf(span: Span | undefined): string | undefined {
  if (span === undefined) return undefined;
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** OTEL_TRACES_SAMPLER, as OpenTelemetry names samplers; whatever is called within a trace follows that by default. */
function samplerOf({
  OTEL_TRACES_SAMPLER: name = 'parentbased_always_on',
  OTEL_TRACES_SAMPLER_ARG: ratio,
}: Environment): Sampler {
  const root = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(Number(ratio ?? 1)),
  }[name.replace(/^parentbased_/, '')];
  if (root === undefined) throw new Error(`OTEL_TRACES_SAMPLER is ${name}, which is no sampler of OpenTelemetry's.`);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root: root() }) : root();
}
