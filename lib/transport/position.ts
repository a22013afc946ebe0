/** A place in a topic's history. Two histories never have the same one, so one of another topic is found nowhere. */
export interface Position {
  /** Grows by one with each push. */
  readonly n: number;
  /** Random: tells the push at `n` from another one that had the same number in a history that was lost. */
  readonly id: string;
}

/** Where a push stands: each names the one before it, so that a missing one shows. */
export interface Place {
  readonly position: Position;
  /** `id` of the one before, whose `n` is one less. */
  readonly previousId: string;
}

/**
 * A position that was not asked for this long, and in whose history nothing is left, is forgotten: who comes back with it is
 * told to reload. 24 hours.
 */
export const POSITION_KEPT_MS = 86_400_000;

const TEXT = /^([0-9a-z]{1,11})\.([\w-]{1,32})$/;

/** As clients get it, and hand it back unread. */
export function encodePosition({ n, id }: Position): string {
  return `${n.toString(36)}.${id}`;
}

/** `undefined` for a text that is no position. */
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
