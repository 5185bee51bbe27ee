/** The function `api`. */
import { controlEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createApiHandler } from './handler.ts';
import { storedCatalogue } from './stored-catalogue.ts';

const environment = controlEnvironment(process.env);
const instruments = await openInstruments(environment);
const deps = await startControl(environment, instruments);

export const handler = instruments.watched('api', createApiHandler({ ...deps, catalogue: storedCatalogue(deps) }));
