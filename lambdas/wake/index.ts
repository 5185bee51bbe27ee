/** The function `wake`. */
import { controlEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { startControl } from '../start.ts';
import { createWakeHandler } from './handler.ts';

const environment = controlEnvironment(process.env);
const instruments = await openInstruments(environment);

export const handler = instruments.watched('wake', createWakeHandler(await startControl(environment, instruments)));
