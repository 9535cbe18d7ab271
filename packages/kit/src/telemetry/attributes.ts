/** Names of OpenTelemetry's semantic conventions, as far as they are used here; a test holds them against its package. */
export const attribute = {
  collection: "db.collection.name",
  database: "db.namespace",
  databaseOperation: "db.operation.name",
  databaseSystem: "db.system.name",
  errorType: "error.type",
  exceptionMessage: "exception.message",
  exceptionType: "exception.type",
  httpMethod: "http.request.method",
  httpBytes: "http.response.body.size",
  httpStatus: "http.response.status_code",
  httpRoute: "http.route",
  consumerGroup: "messaging.consumer.group.name",
  destination: "messaging.destination.name",
  messageId: "messaging.message.id",
  messagingOperation: "messaging.operation.name",
  messagingOperationType: "messaging.operation.type",
  messagingSystem: "messaging.system.name",
  rpcMethod: "rpc.method",
  rpcStatus: "rpc.status_code",
  rpcSystem: "rpc.system.name",
  serviceInstance: "service.instance.id",
  serviceName: "service.name",
  serviceVersion: "service.version",
  urlScheme: "url.scheme",
} as const;

/** The registry's own. */
export const ownAttribute = {
  /** First part of an object's key. */
  blobFolder: "registry.blob.folder",
  blobOperation: "registry.blob.operation",
  /** Bytes. */
  blobSize: "registry.blob.size",
  /** `files` or `s3`. */
  blobStore: "registry.blob.store",
  /** 1 on the first delivery of an event. */
  attempt: "registry.event.attempt",
  /** As in logs, and in the answer's `x-request-id`. */
  requestId: "registry.request_id",
} as const;
