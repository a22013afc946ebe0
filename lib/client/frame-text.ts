import type { ClientFrame, FrameId } from '../protocol/frames.js';
import { clientError, messageOf } from './client-errors.js';

/** What the client writes. An event has no `op`: it keeps the `{event, data}` shape that NestJS clients know. */
export type WireFrame =
  | Exclude<ClientFrame, { readonly op: 'event' }>
  | { readonly event: string; readonly data: unknown; readonly id?: FrameId };

/** Text of a frame on its way to the server. Throws a {@link LoopClientError} when its data cannot be JSON. */
export function encodeFrame(frame: WireFrame): string {
  try {
    return JSON.stringify(frame);
  } catch (cause) {
    throw clientError('bad_data', `The data cannot be written as JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Length in the unit of `maxPayload` and `bufferedAmount`. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
