/**
 * Traces of invocations and of their calls to AWS, by Powertools over X-Ray. Loaded only where tracing is on: it is larger than
 * everything else of a function together.
 */
import { Tracer } from '@aws-lambda-powertools/tracer';
import type { Tracing } from './instruments.ts';

export function openTracer(): Tracing {
  const tracer = new Tracer({ captureHTTPsRequests: false });
  return {
    capture: (client) => void tracer.captureAWSv3Client(client),
    async around(name, run) {
      const segment = tracer.getSegment();
      const part = segment?.addNewSubsegment(`## ${name}`);
      if (part !== undefined) tracer.setSegment(part);
      tracer.annotateColdStart();
      tracer.addServiceNameAnnotation();
      try {
        return await run();
      } catch (error) {
        tracer.addErrorAsMetadata(error instanceof Error ? error : new Error(String(error)));
        throw error;
      } finally {
        part?.close();
        if (segment !== undefined) tracer.setSegment(segment);
      }
    },
  };
}
