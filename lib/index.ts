export { LoopWsModule } from './loop-ws.module.js';
export type {
  LoopAuthenticator,
  LoopAuthorizer,
  LoopEventSchemas,
  LoopIdentity,
  LoopServiceOptions,
  LoopWsOptions,
  LoopWsOptionsFactory,
  LoopWsWorkerOptions,
} from './loop-ws.options.js';
export { LoopWsConfig, type LoopWsConfigChanges } from './loop-ws.config.js';
export {
  LoopAskError,
  type LoopAskFailure,
  LoopPushError,
  LoopTransportError,
  type LoopTransportFailure,
  LoopWsBootError,
  LoopWsError,
  LoopWsException,
} from './loop-ws.errors.js';

export type {
  RedisClient,
  RedisClusterOptions,
  RedisConnectOptions,
  RedisSource,
} from './redis/redis.options.js';

export { EventBus, type IdLike } from './bus/event-bus.js';
export type { AskOptions } from './bus/ask-result.js';
export type { LoopEnvelope } from './bus/loop-envelope.js';
export type { PushOptions } from './bus/push-options.js';
export type {
  ConnectionPushResult,
  DisconnectReport,
  IncompleteReason,
  PushReport,
} from './bus/push-result.js';

export { type ConnectionEvent, ConnectionRegistry } from './connections/connection-registry.js';
export {
  type ConnectionClose,
  type ConnectionState,
  LoopConnection,
} from './connections/loop-connection.js';

export { anonymousAccounts } from './gateway/request/anonymous-accounts.js';
export type { LoopRequest } from './gateway/request/loop-request.js';

export { OnLoopEvent } from './handlers/loop-event.decorator.js';
export {
  OnAccountOffline,
  OnAccountOnline,
  OnLoopConnect,
  OnLoopDisconnect,
  OnLoopSubscribe,
  OnLoopUnsubscribe,
} from './handlers/lifecycle.decorators.js';
export { isLoopContext } from './handlers/loop-context.js';

export {
  type AccountPage,
  pageLimit,
  type PresenceEdges,
  type PresenceRegistered,
  type PresenceRegistration,
  type PresenceServer,
  PresenceStore,
  type PresentConnection,
} from './presence/presence-store.js';
export type { Place, Position } from './transport/position.js';
export type {
  AppendOptions,
  AppendReceipt,
  HistoryPolicy,
  PlacedPush,
  TopicHistory,
  TopicPolicy,
} from './transport/topic-history.js';
export { LoopTransport, type TransportServer } from './transport/loop-transport.js';
export type { PublishOptions } from './transport/publish-options.js';
export type { Topic } from './transport/topic.js';
export type {
  AskAnswer,
  AskMessage,
  ConnectionRef,
  DisconnectMessage,
  PushMessage,
  PushTarget,
  ReplaceMessage,
  ServerReply,
  TransportMessage,
  TransportReceipt,
} from './transport/transport-message.js';

export { CloseCode } from './protocol/close-code.js';
export { ErrorCode } from './protocol/error-code.js';
export type { AnswerError } from './protocol/frames.js';
export type {
  LoopDataMatching,
  LoopEventData,
  LoopEventName,
  LoopNamesMatching,
  LoopPattern,
} from './protocol/event-types.js';
export * from './protocol/loop-events.js';
export { defineLoopEvents, type InferLoopEvents } from './loop-events.schemas.js';
