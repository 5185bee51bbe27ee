/** Names of the DynamoDB table's attributes and of its index: what a table must be made with, by whatever makes it. */
export const tableShape = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Sparse: only items with a place in the history have its keys. Projects all attributes. */
  history: { indexName: 'history', partitionKey: 'hpk', sortKey: 'hsk' },
  /** Epoch seconds; the table's time-to-live attribute. */
  expiry: 'expiresAt',
  schemaVersion: 'v',
  data: 'data',
} as const;

/** Member of a host's capacity that is true after each change after which a waiting task may fit: for filters of the change stream. */
export const hostGrown = 'hasGrown';

/** Member of an event that is true where its writer has told nobody else of it: for filters of the change stream. */
export const eventUntold = 'isUntold';
