import type { ServerFrame } from './frames.js';

/**
 * Encodes a frame for a client. Throws what `JSON.stringify` throws: for circular data, a BigInt, or a getter that
 * throws.
 */
export function encodeServerFrame(frame: ServerFrame): string {
  return JSON.stringify(frame);
}

/**
 * Encodes an event frame around a payload that is already JSON text, so that a payload is encoded once, however many
 * ways it travels.
 */
export function encodeEventFrame(name: string, data: string | undefined, ask?: number): string {
  const dataField = data === undefined ? '' : `,"data":${data}`;
  const askField = ask === undefined ? '' : `,"ask":${ask}`;
  return `{"event":${JSON.stringify(name)}${dataField}${askField}}`;
}

/** Adds the topic and the position of a durable event to its encoded frame. */
export function placeEventFrame(frame: string, topic: string, position: string): string {
  return `${frame.slice(0, -1)},"topic":${JSON.stringify(topic)},"pos":"${position}"}`;
}
