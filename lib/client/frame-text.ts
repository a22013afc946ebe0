import type { ClientFrame } from '../protocol/frames.js';
import { ClientErrorCode, LoopClientError, messageOf } from './client-errors.js';

const encoder = new TextEncoder();

/** Text of a frame on its way to the server. Throws a {@link LoopClientError} when its data cannot be JSON. */
export function encodeClientFrame(frame: ClientFrame): string {
  try {
    return JSON.stringify(onTheWire(frame));
  } catch (error) {
    throw new LoopClientError(
      ClientErrorCode.BadData,
      `The data cannot be written as JSON: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Length in the unit of `maxPayload` and `bufferedAmount`. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** On the wire an event has no `op`: it keeps the `{event, data}` shape that NestJS clients know. */
function onTheWire(frame: ClientFrame): object {
  return frame.op === 'event' ? { event: frame.event, data: frame.data, id: frame.id } : frame;
}
