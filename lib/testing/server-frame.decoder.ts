import { isEventName } from '../protocol/event-name.js';
import type { ServerFrame } from '../protocol/frames.js';

type Fields = Readonly<Record<string, unknown>>;

/** What frames have, by their `op`. A value stands for its type, and that of a map for all of its values. */
const REQUIRED: Readonly<Record<string, Fields>> = {
  event: { event: '' },
  welcome: {
    accountId: '',
    connectionId: '',
    serverId: '',
    subscriptions: [],
    heartbeatMs: 0,
    maxPayload: 0,
  },
  error: { code: '', message: '' },
  reset: { topics: { '': '' } },
  positions: { topics: { '': '' } },
  reconnect: { afterMs: 0 },
};

/** What any frame may have. */
const OPTIONAL: Fields = {
  ask: 0,
  topic: '',
  pos: '',
  denied: [],
  removed: [],
  positions: { '': '' },
  reset: { '': '' },
  resumed: { '': 0 },
  expiresInMs: 0,
  maxPatterns: 0,
  framesPerSecond: 0,
  frameBurst: 0,
};

/**
 * Reads one text frame of a server strictly, for tests: `undefined` when a field that clients act upon is not what it should
 * be. A frame with an `op` that is not known here is taken as it is.
 */
export function decodeServerFrame(text: string): ServerFrame | undefined {
  try {
    const frame = JSON.parse(text) as Fields;
    const { op = 'event' } = frame;
    const required = REQUIRED[op as string] ?? {};
    const isFrame =
      Object.keys(required).every((name) => isLike(frame[name], required[name])) &&
      Object.keys(frame).every(
        (name) => !Object.hasOwn(OPTIONAL, name) || isLike(frame[name], OPTIONAL[name]),
      ) &&
      (frame.op !== undefined || isEventName(frame.event as string));
    return isFrame ? (frame as unknown as ServerFrame) : undefined;
  } catch {
    return undefined;
  }
}

function isLike(value: unknown, example: unknown): boolean {
  if (typeof value !== typeof example) return false;
  if (typeof example !== 'object') return true;
  return (
    Array.isArray(value) === Array.isArray(example) &&
    Object.values(example as object).every((item) =>
      Object.values(value as object).every((own) => isLike(own, item)),
    )
  );
}
