/** The function `resources`. */
import { controlEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createResourcesHandler } from './handler.ts';
import { respondByPut } from './respond.ts';

const environment = controlEnvironment(process.env);
const instruments = await openInstruments(environment);
const deps = await startControl(environment, instruments);

export const handler = instruments.watched('resources', createResourcesHandler(deps, respondByPut(deps)));
