import { isEventName } from './event-name.js';
import type { ServerFrame } from './frames.js';

/** Text of a frame on its way to a client. Throws what `JSON.stringify` throws: circular data, a BigInt, a bad getter. */
export function encodeServerFrame(frame: ServerFrame): string {
  return JSON.stringify(frame);
}

/** Text of an event frame around a payload that is JSON text already, so that a payload is encoded once however it travels. */
export function encodeEventFrame(name: string, data: string | undefined, ask?: number): string {
  const dataField = data === undefined ? '' : `,"data":${data}`;
  const askField = ask === undefined ? '' : `,"ask":${ask}`;
  return `{"event":${JSON.stringify(name)}${dataField}${askField}}`;
}

/** Text of an event frame with its place in a history. */
export function placeEventFrame(frame: string, topic: string, position: string): string {
  return `${frame.slice(0, -1)},"topic":${JSON.stringify(topic)},"pos":"${position}"}`;
}

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
 * Reads one text frame of a server, for a client. Checks the fields that a client acts upon, so that a broken server
 * cannot throw into application code; `undefined` when one of them is not what it should be. A frame with an `op` that
 * this client does not know is one to leave out: newer servers may say more.
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
