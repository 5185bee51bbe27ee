/** The function `api`. */
import { controlEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createApiHandler } from './handler.ts';

const environment = controlEnvironment(process.env);
const instruments = await openInstruments(environment);

export const handler = instruments.watched('api', createApiHandler(await startControl(environment, instruments)));
