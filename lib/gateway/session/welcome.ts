import type { LoopConnection } from '../../connections/loop-connection.js';
import type { LoopWsConfig } from '../../loop-ws.config.js';
import type { LoopWsSettings } from '../../loop-ws.settings.js';
import { MAX_NAME_LENGTH } from '../../protocol/event-name.js';
import type { WelcomeFrame } from '../../protocol/frames.js';
import { encodePositions, type Position } from '../../transport/position.js';
import type { Credentials } from './credentials.js';

/** Bytes of the longest pattern, with its quotes and a comma. */
const PATTERN_BYTES = MAX_NAME_LENGTH + 3;

/** Bytes of a frame around its patterns, with the longest number as its `id`. */
const FRAME_BYTES = 64;

/** What a client has to know about its connection, with its position in each of its topics so far. */
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
    ...(positions.size > 0 && { positions: encodePositions(positions) }),
  };
}

/**
 * How many patterns a client may send in one frame: no more than a connection may hold, and no more than fit into a
 * frame even when each has the maximum length.
 */
function patternsPerFrame({ maxSubscriptions, maxPayload }: LoopWsConfig): number {
  return Math.max(
    1,
    Math.min(maxSubscriptions, Math.floor((maxPayload - FRAME_BYTES) / PATTERN_BYTES)),
  );
}
