/** The least that a function with a router can be: what the API's cold start is compared with. */
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

const app = new Hono();
app.get('/healthz', (c) => c.json({ status: 'ok' }));

export const handler = handle(app);
