/** What is placed, and callers that go on until so much is done. */

export const family = 'bench';

/** Small enough for a hundred hosts to take all that a run places. */
export const definition = {
  family,
  containerDefinitions: [
    {
      name: 'app',
      image: 'busybox',
      cpu: 8,
      memory: 16,
      environment: [
        { name: 'STAGE', value: 'production' },
        { name: 'LOG_LEVEL', value: 'info' },
      ],
    },
  ],
};

export interface RunTaskInput {
  readonly taskDefinition: string;
  readonly count: number;
}

/** Tasks of a call: the most that Amazon ECS takes. */
export const batch = 10;
export const runTask: RunTaskInput = { taskDefinition: family, count: batch };

/** Each caller waits for its answer before it calls again. Answers how long all calls took, in seconds. */
export async function byCallers<T>(
  callers: number,
  work: Iterator<T>,
  call: (one: T) => Promise<unknown>,
): Promise<number> {
  const begun = performance.now();
  const goOn = async (): Promise<void> => {
    for (let next = work.next(); next.done !== true; next = work.next()) await call(next.value);
  };
  await Promise.all(Array.from({ length: callers }, goOn));
  return (performance.now() - begun) / 1000;
}
