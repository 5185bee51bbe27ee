/** Who sends logs on in tests: nobody, or to an endpoint of the test's own. */
import { pino } from 'pino';
import type { Clock } from '../../../agent/clock.ts';
import { LogShippers, type ShipperParts } from '../../../agent/logs/shippers.ts';

export const shippersTo = (clock: Clock, more: Partial<ShipperParts>): LogShippers =>
  new LogShippers({
    brakeOf: () => ({ hold: async () => {}, release: async () => {} }),
    containerId: (taskId, container) => `${taskId}-${container}`,
    clock,
    random: () => 0.5,
    log: pino({ level: process.env.GANTRY_TEST_LOG ?? 'silent' }),
    ...more,
  });

export const noShippers = (clock: Clock): LogShippers => shippersTo(clock, {});
