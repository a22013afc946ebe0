/**
 * Says why a string cannot be a room name and how to fix it; `undefined` if it can be one. Half a surrogate pair cannot
 * be encoded as UTF-8, so other servers would take two such names for the same room.
 */
export function problemOfRoomName(room: string, maxIdLength: number): string | undefined {
  if (room.length > maxIdLength) {
    return `The room name has ${room.length} characters, more than config.maxIdLength (${maxIdLength}); choose a shorter one.`;
  }
  if (!room.isWellFormed()) {
    return 'The room name contains half a surrogate pair, so it is not well-formed Unicode; check it with isWellFormed().';
  }
  return undefined;
}
