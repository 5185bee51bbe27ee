/** `gantry/client`: what the package hands out of this room. */
export type { EventView } from '../core/api/events.ts';
export type { Input, OperationName, Output } from '../core/api/operations.ts';
export type { ContainerInstanceView, ContainerView, TaskDefinitionView, TaskView } from '../core/api/shapes.ts';
export type { WebhookView } from '../core/api/webhooks.ts';
export { type ErrorCode, GantryError } from '../core/errors.ts';
export type { LogLine } from '../core/model/task.ts';
export type { WatchLine } from './client.ts';
export { type CallOptions, createClient, type GantryClient, type GantryClientOptions } from './gantry-client.ts';
export type { Credentials } from './signer.ts';
export { verifyWebhook, type WebhookMessage, type WebhookRequest } from './webhook.ts';
