import { textsOf } from '../bus/replay.js';
import type { LoopConnection } from '../connections/loop-connection.js';
import type { LoopWsConfig } from '../loop-ws.config.js';
import type { LoopWsSettings } from '../loop-ws.settings.js';
import { MAX_NAME_LENGTH } from '../protocol/event-name.js';
import type { WelcomeFrame } from '../protocol/frames.js';
import type { Position } from '../transport/position.js';
import type { Credentials } from './credentials.js';

/** Of the longest pattern, with its quotes and a comma. */
const PATTERN_BYTES = MAX_NAME_LENGTH + 3;

/** Of a frame around its patterns, with the longest number as its `id`. */
const FRAME_BYTES = 64;

/** What a client has to know of its connection, with where it is in the topics that it has so far. */
export function welcomeFrame(
  connection: LoopConnection,
  { expiresInMs }: Pick<Credentials, 'expiresInMs'>,
  positions: ReadonlyMap<string, Position>,
  { serverId, config }: LoopWsSettings,
): WelcomeFrame {
  return {
    op: 'welcome',
    accountId: connection.accountId,
    connectionId: connection.connectionId,
    serverId,
    subscriptions: [...connection.subscriptions],
    heartbeatMs: config.heartbeatMs,
    maxPayload: config.maxPayload,
    maxPatterns: patternsPerFrame(config),
    framesPerSecond: config.framesPerSecond,
    frameBurst: config.frameBurst,
    ...expiresInMs,
    ...(positions.size > 0 && { positions: textsOf(positions) }),
  };
}

/** No more than a connection may hold, and than fit into a frame however long they are. */
function patternsPerFrame({ maxSubscriptions, maxPayload }: LoopWsConfig): number {
  return Math.max(
    1,
    Math.min(maxSubscriptions, Math.floor((maxPayload - FRAME_BYTES) / PATTERN_BYTES)),
  );
}
