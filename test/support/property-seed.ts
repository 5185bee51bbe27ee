/**
 * The seed of fast-check's properties: the same in each run, so that a run tells of the change that it tests; GANTRY_PROPERTY_SEED asks
 * for others. A setup file of vitest.
 */
import fc from 'fast-check';

const seed = Number(process.env.GANTRY_PROPERTY_SEED ?? 20_261_130);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
