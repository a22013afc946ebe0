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

/**
 * Reads one text frame of a server, for a client. Checks the fields that a client acts upon; `undefined` for anything
 * that is not a frame of this protocol, so that a broken server cannot throw into application code. An `op` that this
 * client does not know is `undefined` too: newer servers may say more.
 */
export function decodeServerFrame(text: string): ServerFrame | undefined {
  const fields = parseFields(text);
  if (fields === undefined) return undefined;
  const known = fields.op === undefined ? isEventFrame(fields) : hasFieldsOfOp(fields);
  return known ? (fields as unknown as ServerFrame) : undefined;
}

const OPS: ReadonlySet<unknown> = new Set([
  'welcome',
  'ok',
  'reply',
  'error',
  'pong',
  'reset',
  'positions',
  'reconnect',
]);

/** Whether the text is an object with an `op` that this client does not know: a newer server says more, and may. */
export function hasUnknownOp(text: string): boolean {
  const op = parseFields(text)?.op;
  return typeof op === 'string' && !OPS.has(op);
}

function parseFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function isEventFrame(fields: Fields): boolean {
  return typeof fields.event === 'string' && isOptional(fields.ask, 'number');
}

function hasFieldsOfOp(fields: Fields): boolean {
  switch (fields.op) {
    case 'welcome':
      return (
        typeof fields.accountId === 'string' &&
        typeof fields.connectionId === 'string' &&
        typeof fields.serverId === 'string' &&
        Array.isArray(fields.subscriptions) &&
        typeof fields.heartbeatMs === 'number' &&
        typeof fields.maxPayload === 'number' &&
        isOptional(fields.framesPerSecond, 'number') &&
        isOptional(fields.frameBurst, 'number') &&
        isOptional(fields.expiresInMs, 'number') &&
        (fields.positions === undefined || isTexts(fields.positions))
      );
    case 'ok':
      return (
        isOptionalList(fields.granted) &&
        isOptionalList(fields.denied) &&
        isOptionalList(fields.removed) &&
        isOptional(fields.expiresInMs, 'number') &&
        (fields.reset === undefined || isTexts(fields.reset)) &&
        (fields.positions === undefined || isTexts(fields.positions))
      );
    case 'reply':
      return typeof fields.id === 'number' || typeof fields.id === 'string';
    case 'error':
      return typeof fields.code === 'string' && typeof fields.message === 'string';
    case 'pong':
      return true;
    case 'reset':
    case 'positions':
      return isTexts(fields.topics);
    case 'reconnect':
      return typeof fields.afterMs === 'number';
    default:
      return false;
  }
}

function isOptional(value: unknown, type: 'number'): boolean {
  return value === undefined || typeof value === type;
}

/** A map from names to texts. */
function isTexts(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => typeof text === 'string')
  );
}

function isOptionalList(value: unknown): boolean {
  return value === undefined || Array.isArray(value);
}
