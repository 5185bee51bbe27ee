/** What anybody may read: the OpenAPI document, and the reference as a page. Made when first asked for: every cold start would wait for it. */
import type { Hono } from 'hono';
import type { Page } from './reference/page.ts';

export function addDocuments(app: Hono): void {
  let document: string | undefined;
  app.get('/openapi.json', async (c) => {
    document ??= JSON.stringify((await import('./openapi.ts')).openApiDocument());
    return c.body(document, 200, { 'content-type': 'application/json' });
  });
  let page: Promise<Page> | undefined;
  app.get('/docs', async (c) => {
    page ??= makePage();
    const { body, contentSecurityPolicy } = await page;
    return c.html(body, 200, { 'content-security-policy': contentSecurityPolicy });
  });
}

async function makePage(): Promise<Page> {
  const [{ openApiDocument }, { referencePage }] = await Promise.all([
    import('./openapi.ts'),
    import('./reference/page.ts'),
  ]);
  return referencePage(openApiDocument());
}
