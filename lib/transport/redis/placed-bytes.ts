import type { Place, Position } from '../position.js';

const BAR = '|'.charCodeAt(0);

/** A message or a history entry, split into its parts. */
export interface Placed {
  /** Absent for a message that is not kept in a history. */
  readonly place?: Place;
  readonly rest: Buffer;
}

/** The prefix of an envelope that has no place in a history. */
export const NO_PLACE = '|||';

/**
 * Reads `n|id|previous id|rest`. Throws a `RangeError` when a part is missing. Bytes that begin with a bar are assumed
 * to begin with {@link NO_PLACE}.
 */
export function readPlace(bytes: Buffer): Placed {
  if (bytes[0] === BAR) return { rest: bytes.subarray(NO_PLACE.length) };
  const [n, afterN] = readText(bytes, 0);
  const [id, afterId] = readText(bytes, afterN);
  const [previousId, at] = readText(bytes, afterId);
  return { place: { position: positionOf(n, id), previousId }, rest: bytes.subarray(at) };
}

/** Reads a history entry, `n|id|previous id|until|rest`. Throws a `RangeError` when a part is missing. */
export function readEntry(bytes: Buffer): { place: Place; until: number; rest: Buffer } {
  const { place, rest } = readPlace(bytes);
  if (place === undefined) throw new RangeError('The history entry has no position.');
  const [until, at] = readText(rest, 0);
  return { place, until: Number(until), rest: rest.subarray(at) };
}

/** Reads `n|id`. Returns `undefined` for an empty string. */
export function readPosition(text: string): Position | undefined {
  const [n = '', id = ''] = text.split('|');
  return n === '' ? undefined : positionOf(n, id);
}

function positionOf(n: string, id: string): Position {
  const number = Number(n);
  if (!Number.isSafeInteger(number)) throw new RangeError('A position has no valid number.');
  return { n: number, id };
}

function readText(bytes: Buffer, from: number): [text: string, next: number] {
  const end = bytes.indexOf(BAR, from);
  if (end === -1) throw new RangeError('The message or history entry is cut short.');
  return [bytes.toString('latin1', from, end), end + 1];
}
