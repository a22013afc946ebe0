import type { LoopWsError } from '../loop-ws.errors.js';

/**
 * Throws a `Failure` that says what to change, unless the string can be a room name. Half a surrogate pair cannot be
 * encoded as UTF-8, so other servers would take two such names for the same room.
 */
export function requireRoomName(
  room: string,
  maxIdLength: number,
  Failure: typeof LoopWsError,
): void {
  if (room.length > maxIdLength) {
    throw new Failure(
      `The room name has ${room.length} characters, more than config.maxIdLength (${maxIdLength}); choose a shorter one.`,
    );
  }
  if (!room.isWellFormed()) {
    throw new Failure(
      'The room name contains half a surrogate pair, so it is not well-formed Unicode; check it with isWellFormed().',
    );
  }
}
