import type { Topic } from '../topic.js';
import type {
  AskMessage,
  DisconnectMessage,
  PushMessage,
  PushTarget,
  ReplaceMessage,
  TransportMessage,
} from '../transport-message.js';
import { ByteReader, ByteWriter } from './byte-writer.js';

const VERSION = 1;
const KINDS = ['push', 'ask', 'disconnect', 'replace'] as const;

/** The `request` of a message that needs no reply. */
export const NO_REPLY = 0;

/** A message as it is sent. The frame of a push is the complete frame for clients and is never parsed in transit. */
export interface Letter {
  /** The sending process's number for the message, which replies repeat; {@link NO_REPLY} when it wants none. */
  readonly request: number;
  /** When the message is too late, in milliseconds by the Redis clock. */
  readonly deadline: number;
  /** The lifetime that the message was given, in milliseconds. Differences between clocks never extend it. */
  readonly lifetimeMs: number;
  readonly message: TransportMessage;
}

/**
 * What one process sends on one Redis channel as one message. It contains neither the topic, which the channel implies,
 * nor a place in a history, which is known only once a push is placed; then that push is the only letter.
 */
export interface Envelope {
  /** The process that sent the envelope and gets the replies. */
  readonly origin: string;
  /** In the order in which they were sent. */
  readonly letters: readonly Letter[];
}

/**
 * The start of an envelope, which letters follow. `before` is a prefix, such as the one for "no place in a history".
 */
export function encodeHeader(origin: string, before: string = ''): Buffer {
  return new ByteWriter().bare(before).byte(VERSION).text(origin).finish();
}

export function encodeLetter({ request, deadline, lifetimeMs, message }: Letter): Buffer {
  const writer = new ByteWriter();
  writer.byte(KINDS.indexOf(message.kind)).uint32(request).double(deadline).double(lifetimeMs);
  writeMessage(writer, message);
  return writer.finish();
}

/**
 * Returns `undefined` for a version that this process does not know. Throws when the bytes are not a valid envelope.
 */
export function decodeEnvelope(bytes: Buffer, topic: Topic, now: number): Envelope | undefined {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== VERSION) return undefined;
  const origin = reader.text() ?? '';
  const letters = [readLetter(reader, topic, now)];
  while (!reader.isAtEnd) letters.push(readLetter(reader, topic, now));
  return { origin, letters };
}

/** The letter of a placed push. Throws a `RangeError` when there is more than one. */
export function onlyLetter({ letters }: Envelope): Letter {
  if (letters.length > 1) throw new RangeError('A place is for one message only.');
  return letters[0]!;
}

function readLetter(reader: ByteReader, topic: Topic, now: number): Letter {
  const kind = KINDS[reader.byte()];
  const request = reader.uint32();
  const deadline = reader.double();
  const lifetimeMs = reader.double();
  const leftMs = Math.min(lifetimeMs, Math.round(deadline - now));
  return { request, deadline, lifetimeMs, message: readMessage(reader, kind, topic, leftMs) };
}

function writeMessage(writer: ByteWriter, message: TransportMessage): void {
  switch (message.kind) {
    case 'push':
      return writePush(writer, message);
    case 'ask':
      return writeAsk(writer, message);
    case 'disconnect':
      return writeDisconnect(writer, message);
    case 'replace':
      return writeReplace(writer, message);
  }
}

function readMessage(
  reader: ByteReader,
  kind: (typeof KINDS)[number] | undefined,
  topic: Topic,
  leftMs: number,
): TransportMessage {
  switch (kind) {
    case 'push':
      return readPush(reader, topic, leftMs);
    case 'ask':
      return readAsk(reader, topic, leftMs);
    case 'disconnect':
      return readDisconnect(reader, topic);
    case 'replace':
      return readReplace(reader, topic);
    case undefined:
      throw new RangeError('The message is of an unknown kind.');
  }
}

function writePush(writer: ByteWriter, { target, name, id, except, frame }: PushMessage): void {
  writer.text(target.kind === 'connection' ? target.connectionId : undefined);
  writer.text(name).text(id);
  writer.text(except === undefined ? undefined : JSON.stringify(except)).text(frame);
}

function readPush(reader: ByteReader, topic: Topic, ttlMs: number): PushMessage {
  const target = targetOf(topic, reader.text());
  const name = reader.text() ?? '';
  const id = reader.text();
  const except = reader.text();
  const frame = reader.text() ?? '';
  return {
    kind: 'push',
    target,
    name,
    frame,
    ttlMs,
    ...(id === undefined ? {} : { id }),
    ...(except === undefined ? {} : { except: JSON.parse(except) as PushMessage['except'] & {} }),
  };
}

function targetOf({ kind, name }: Topic, connectionId: string | undefined): PushTarget {
  if (kind === 'room') return { kind: 'room', room: name };
  if (kind === 'service') return { kind: 'channel' };
  if (connectionId === undefined) return { kind: 'account', accountId: name };
  return { kind: 'connection', accountId: name, connectionId };
}

function writeAsk(writer: ByteWriter, { connection, name, data }: AskMessage): void {
  writer.text(connection.connectionId).text(name).text(data);
}

function readAsk(reader: ByteReader, topic: Topic, timeoutMs: number): AskMessage {
  const connectionId = reader.text() ?? '';
  const name = reader.text() ?? '';
  const connection = { accountId: topic.name, connectionId };
  return { kind: 'ask', connection, name, data: reader.text(), timeoutMs: Math.max(1, timeoutMs) };
}

function writeDisconnect(writer: ByteWriter, order: DisconnectMessage): void {
  writer.text(order.connectionId).uint32(order.code).text(order.reason);
}

function readDisconnect(reader: ByteReader, topic: Topic): DisconnectMessage {
  const connectionId = reader.text();
  return {
    kind: 'disconnect',
    accountId: topic.name,
    code: reader.uint32(),
    reason: reader.text() ?? '',
    ...(connectionId === undefined ? {} : { connectionId }),
  };
}

function writeReplace(writer: ByteWriter, { registration, ageMs }: ReplaceMessage): void {
  writer.text(registration).double(ageMs);
}

function readReplace(reader: ByteReader, { name }: Topic): ReplaceMessage {
  const registration = reader.text() ?? '';
  return { kind: 'replace', accountId: name, registration, ageMs: reader.double() };
}
