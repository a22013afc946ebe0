import { MAX_NAME_LENGTH } from '../protocol/event-name.js';
import type { ClientFrame, FrameId } from '../protocol/frames.js';
import { clientError, failure } from './client-errors.js';

/** What the client writes. An event has no `op`: it keeps the `{event, data}` shape that NestJS clients know. */
export type WireFrame =
  | Exclude<ClientFrame, { readonly op: 'event' }>
  | {
      readonly op?: undefined;
      readonly event: string;
      readonly data: unknown;
      readonly id?: FrameId;
    };

/** What names and patterns have in common. */
const FORM = /^[\w*-]+:[\w*.-]+$/;

/**
 * The types let through what JavaScript or a cast makes of a name or a pattern. This finds mistakes at once, and is not
 * strict about dots and stars: the server refuses whatever else is none.
 */
export function checkForm(text: string, otherwise: 'bad_name' | 'bad_pattern' = 'bad_name'): void {
  const isPattern = otherwise === 'bad_pattern';
  if (text.length > MAX_NAME_LENGTH || !FORM.test(text) || (!isPattern && text.includes('*'))) {
    throw clientError(otherwise, text);
  }
}

/** Text of a frame on its way to the server. Throws a {@link LoopClientError} when its data cannot be JSON. */
export function encodeFrame(frame: WireFrame): string {
  if (frame.op === undefined) checkForm(frame.event);
  try {
    return JSON.stringify(frame);
  } catch (cause) {
    throw failure('bad_data', cause);
  }
}

/** Length in the unit of `maxPayload` and `bufferedAmount`. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
