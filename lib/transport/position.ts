import type { TopicPositions } from '../protocol/frames.js';
/** A place in a topic's history. No two histories share a position, so one from another topic never matches. */
export interface Position {
  /** Grows by one with each push. */
  readonly n: number;
  /** Random. Distinguishes the push at `n` from one that had the same number in a history that was lost. */
  readonly id: string;
}

/** A push's place in its history. Each place names the previous push, so that a gap can be detected. */
export interface Place {
  readonly position: Position;
  /** The `id` of the previous push, whose `n` is one less. */
  readonly previousId: string;
}

/**
 * How long a position is kept after it was last assigned or requested, once nothing else is left of the history: 24
 * hours in milliseconds. A client that comes back with a forgotten position is told to reload.
 */
export const POSITION_KEPT_MS = 86_400_000;

const TEXT = /^([0-9a-z]{1,11})\.([\w-]{1,32})$/;

/** The opaque string that clients receive and send back. */
export function encodePosition({ n, id }: Position): string {
  return `${n.toString(36)}.${id}`;
}

/** Positions by topic name, as clients get them. */
export function encodePositions(positions: ReadonlyMap<string, Position>): TopicPositions {
  return Object.fromEntries([...positions].map(([topic, one]) => [topic, encodePosition(one)]));
}

/** Returns `undefined` when the string is not a valid position. */
export function parsePosition(text: string): Position | undefined {
  const [, digits, id] = TEXT.exec(text) ?? [];
  if (digits === undefined || id === undefined) return undefined;
  const n = Number.parseInt(digits, 36);
  return Number.isSafeInteger(n) ? { n, id } : undefined;
}

export function isSamePosition(one: Position, other: Position): boolean {
  return one.n === other.n && one.id === other.id;
}

export function isNext(last: Position, { position, previousId }: Place): boolean {
  return position.n === last.n + 1 && previousId === last.id;
}
