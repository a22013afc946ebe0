import { ErrorCode } from './error-code.js';
import { isEventName, MAX_NAME_LENGTH } from './event-name.js';
import { type AnswerError, type ClientFrame, type FrameId, idField } from './frames.js';
import { findJsonHazard } from './json-safety.js';
import { MAX_TOPICS } from './since.js';

/** The outcome of decoding: a frame, or the error for the peer, with the frame's `id` if it has a valid one. */
export type Decoded =
  | { readonly ok: true; readonly frame: ClientFrame }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly id?: FrameId;
    };

type Fields = Readonly<Record<string, unknown>>;

const MAX_ID_LENGTH = 64;

/** Decodes one text frame from a client. Never throws, and never returns a frame whose fields have not been checked. */
export function decodeClientFrame(text: string, maxDepth: number): Decoded {
  const value = parseJson(text);
  if (value === undefined) return refuse(ErrorCode.NotJson, 'The frame is not JSON.', undefined);
  const id = idOf(value);
  const hazard = findJsonHazard(text, value, maxDepth);
  if (hazard !== undefined) return refuse(hazard, hazardMessage(hazard, maxDepth), id);
  if (!isFields(value)) return refuse(ErrorCode.BadFrame, 'A frame must be a JSON object.', id);
  if (value.id !== undefined && id === undefined) {
    return refuse(
      ErrorCode.BadFrame,
      `"id" must be a non-negative integer or a string of 1 to ${MAX_ID_LENGTH} characters.`,
      id,
    );
  }
  return value.event === undefined ? decodeOp(value, id) : decodeEvent(value, id);
}

/** The frame's `id` if that is valid, whatever else is wrong with the frame. */
function idOf(value: unknown): FrameId | undefined {
  return isFields(value) && isFrameId(value.id) ? value.id : undefined;
}

function decodeOp(fields: Fields, id: FrameId | undefined): Decoded {
  switch (fields.op) {
    case 'subscribe':
    case 'unsubscribe':
      return decodePatterns(fields.op, fields, id);
    case 'answer':
      return decodeAnswer(fields, id);
    case 'auth':
      return typeof fields.token === 'string' && fields.token !== ''
        ? accept({ op: 'auth', token: fields.token, ...idField(id) })
        : refuse(ErrorCode.BadFrame, '"token" must be a non-empty string.', id);
    case 'ping':
      return accept({ op: 'ping', ...idField(id) });
    case undefined:
      return refuse(ErrorCode.BadFrame, 'A frame must have either "event" or "op".', id);
    default:
      return refuse(
        ErrorCode.UnknownOp,
        'Unknown "op": use subscribe, unsubscribe, answer, auth or ping, or send an "event".',
        id,
      );
  }
}

function decodeEvent(fields: Fields, id: FrameId | undefined): Decoded {
  if (typeof fields.event !== 'string') {
    return refuse(ErrorCode.BadFrame, '"event" must be a string.', id);
  }
  if (!isEventName(fields.event)) {
    return refuse(
      ErrorCode.BadName,
      `"event" must be a full name such as "chat:message.send", at most ${MAX_NAME_LENGTH} characters of letters, digits, "_", "-" and ".".`,
      id,
    );
  }
  const { event, data } = fields as { readonly event: string; readonly data: unknown };
  // Nearly all frames are events, and a spread would cost more than the rest of this function.
  return accept(id === undefined ? { op: 'event', event, data } : { op: 'event', event, data, id });
}

function decodePatterns(
  op: 'subscribe' | 'unsubscribe',
  fields: Fields,
  id: FrameId | undefined,
): Decoded {
  const { patterns } = fields;
  const least = op === 'subscribe' && fields.since !== undefined ? 0 : 1;
  if (!Array.isArray(patterns) || patterns.length < least || !patterns.every(isString)) {
    return refuse(ErrorCode.BadFrame, '"patterns" must be a non-empty array of strings.', id);
  }
  const frame = { patterns: [...new Set<string>(patterns)], ...idField(id) };
  if (op === 'unsubscribe' || fields.since === undefined) return accept({ op, ...frame });
  if (!isStringRecord(fields.since)) {
    return refuse(
      ErrorCode.BadFrame,
      `"since" must be an object of at most ${MAX_TOPICS} topics with their positions.`,
      id,
    );
  }
  return accept({ op, ...frame, since: fields.since });
}

function isStringRecord(value: unknown): value is Readonly<Record<string, string>> {
  if (!isFields(value)) return false;
  const positions = Object.values(value);
  return positions.length <= MAX_TOPICS && positions.every(isString);
}

function decodeAnswer(fields: Fields, id: FrameId | undefined): Decoded {
  const { ask, data, error } = fields;
  if (!Number.isSafeInteger(ask) || (ask as number) < 0) {
    return refuse(ErrorCode.BadFrame, '"ask" must be the number of the question.', id);
  }
  if (error === undefined)
    return accept({ op: 'answer', ask: ask as number, data, ...idField(id) });
  if (!isAnswerError(error)) {
    return refuse(ErrorCode.BadFrame, '"error" must have the strings "code" and "message".', id);
  }
  const { code, message } = error;
  return accept({ op: 'answer', ask: ask as number, error: { code, message }, ...idField(id) });
}

function accept(frame: ClientFrame): Decoded {
  return { ok: true, frame };
}

function refuse(code: ErrorCode, message: string, id: FrameId | undefined): Decoded {
  return { ok: false, code, message, ...idField(id) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hazardMessage(hazard: ErrorCode, maxDepth: number): string {
  return hazard === ErrorCode.TooDeep
    ? `Objects and arrays are nested deeper than ${maxDepth} levels.`
    : 'The key "__proto__", or "constructor" with a "prototype", is not allowed anywhere in a frame.';
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFrameId(value: unknown): value is FrameId {
  if (typeof value === 'string') return value.length > 0 && value.length <= MAX_ID_LENGTH;
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isAnswerError(value: unknown): value is AnswerError {
  return isFields(value) && isString(value.code) && isString(value.message);
}
