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
