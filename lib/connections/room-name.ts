/**
 * Why a string cannot be the name of a room, with the remedy; `undefined` when it can. Half a surrogate pair cannot be
 * written as UTF-8: two such names would be one room to the other servers.
 */
export function faultOfRoomName(room: string, maxIdLength: number): string | undefined {
  if (room.length > maxIdLength) {
    return `The name of the room has ${room.length} characters, more than config.maxIdLength (${maxIdLength}); choose a shorter one.`;
  }
  if (!room.isWellFormed()) {
    return 'The name of the room has half a surrogate pair, which is not well-formed Unicode; check it with isWellFormed().';
  }
  return undefined;
}
