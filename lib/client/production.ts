// For production builds: errors have their code and facts, but no sentences.
export { connect } from './connect.js';
export type { LoopClient, LoopRequestOptions, LoopSubscribeOptions } from './loop-client.js';
export type { LoopReset } from './positions.js';
export type { LoopClientOptions, LoopStorage, TokenSource, UrlSource } from './client-options.js';
export type { BackoffOptions } from './backoff.js';
export type { LoopEventHandler, LoopReceivedEvent } from './event-handlers.js';
export type { LoopState, LoopStateChange } from './loop-state.js';
export type { LoopCloseEvent, LoopWebSocket, WebSocketConstructor } from './web-socket.js';
export { ClientErrorCode, LoopClientError } from './client-errors.js';

export { CloseCode } from '../protocol/close-code.js';
export { ErrorCode } from '../protocol/error-code.js';
export type {
  LoopDataMatching,
  LoopEventData,
  LoopEventName,
  LoopNamesMatching,
  LoopPattern,
} from '../protocol/event-types.js';
export type { DeniedPattern, WelcomeFrame } from '../protocol/frames.js';
export * from '../protocol/loop-events.js';
