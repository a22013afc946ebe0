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

/** What any frame may have. Here and below a value stands for its type, and that of a map for all of its values. */
const OPTIONAL: Fields = {
  ask: 0,
  topic: '',
  pos: '',
  granted: [],
  denied: [],
  removed: [],
  positions: { '': '' },
  reset: { '': '' },
  resumed: { '': 0 },
  expiresInMs: 0,
  framesPerSecond: 0,
  frameBurst: 0,
};

/** What a frame has, by its `op`; an event has none. */
const FRAMES: ReadonlyMap<unknown, Fields> = new Map<unknown, Fields>([
  [undefined, { event: '' }],
  [
    'welcome',
    {
      accountId: '',
      connectionId: '',
      serverId: '',
      subscriptions: [],
      heartbeatMs: 0,
      maxPayload: 0,
    },
  ],
  ['ok', {}],
  ['reply', {}],
  ['error', { code: '', message: '' }],
  ['pong', {}],
  ['reset', { topics: { '': '' } }],
  ['positions', { topics: { '': '' } }],
  ['reconnect', { afterMs: 0 }],
]);

/**
 * Reads one text frame of a server, for a client. Checks the fields that a client acts upon, so that a broken server
 * cannot throw into application code.
 *
 * @returns `undefined` for anything that is not a frame of this protocol, and `null` for an `op` that this client does
 * not know: a newer server says more, and may.
 */
export function decodeServerFrame(text: string): ServerFrame | null | undefined {
  const fields = parseFields(text);
  const required = FRAMES.get(fields.op);
  if (required === undefined) return typeof fields.op === 'string' ? null : undefined;
  return hasFields(fields, required) && hasFields({ ...OPTIONAL, ...fields }, OPTIONAL)
    ? (fields as unknown as ServerFrame)
    : undefined;
}

/** What is no object has no fields. */
function parseFields(text: string): Fields {
  try {
    return (JSON.parse(text) ?? {}) as Fields;
  } catch {
    return {};
  }
}

function hasFields(fields: Fields, examples: Fields): boolean {
  return Object.entries(examples).every(([name, example]) => isLike(fields[name], example));
}

function isLike(value: unknown, example: unknown): boolean {
  return (
    typeof value === typeof example &&
    value !== null &&
    Array.isArray(value) === Array.isArray(example) &&
    Object.values(example as object).every((item) =>
      Object.values(value as object).every((own) => isLike(own, item)),
    )
  );
}
