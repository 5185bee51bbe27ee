/** What is generated and checked in, by its path in the repository. */
import { commandGroups } from '../cli/commands/index.ts';
import { commandsPage } from '../cli/commands-page.ts';
import { openApiDocument } from '../control/http/openapi.ts';
import { metricsPage } from '../control/metrics/page.ts';
import { taskDefinitionJsonSchema } from '../core/api/task-definition-schema.ts';
import { fieldsPage } from '../core/model/fields-page.ts';
import { compatibilityPage } from './compatibility/page.ts';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export const generatedFiles = (): Readonly<Record<string, string>> => ({
  'docs/cli.md': `${commandsPage(commandGroups)}\n`,
  'docs/compatibility.md': `${compatibilityPage()}\n`,
  'docs/metrics.md': metricsPage(),
  'docs/openapi.json': json(openApiDocument()),
  'docs/task-definition.schema.json': json(taskDefinitionJsonSchema()),
  'docs/task-definition-fields.md': `${fieldsPage()}\n`,
});
