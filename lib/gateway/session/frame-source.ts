import type { LoopConnection } from '../../connections/loop-connection.js';
import type { ErrorCode } from '../../protocol/error-code.js';
import type { FrameId } from '../../protocol/frames.js';
import type { RefreshedCredentials } from './credentials.js';

/** What handling a frame needs from the session that received it. */
export interface FrameSource {
  readonly connection: LoopConnection;
  /** Tells the peer that its frame broke the protocol, and counts the violation. */
  refuse(code: ErrorCode, message: string, id?: FrameId): void;
  /** Rejects, and changes nothing, once the signal is aborted. */
  refreshCredentials(token: string, signal: AbortSignal): Promise<RefreshedCredentials>;
}
