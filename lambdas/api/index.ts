/** The function `api`. */
import { keyRates } from '../../control/http/throttle.ts';
import { controlEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createApiHandler } from './handler.ts';
import { storedCatalogue } from './stored-catalogue.ts';

const environment = controlEnvironment(process.env);
const instruments = await openInstruments(environment);
const deps = await startControl(environment, instruments);

const { GANTRY_READ_RATE: reads, GANTRY_MUTATION_RATE: mutations } = environment;

export const handler = instruments.watched(
  'api',
  createApiHandler({ ...deps, catalogue: storedCatalogue(deps) }, keyRates({ reads, mutations })),
);
