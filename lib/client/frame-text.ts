import { MAX_NAME_LENGTH } from '../protocol/event-name.js';
import type { ClientFrame, FrameId } from '../protocol/frames.js';
import { clientError, failure } from './client-errors.js';

/**
 * A frame as the client writes it. An event has no `op`: it keeps the `{event, data}` shape that NestJS clients know.
 */
export type WireFrame =
  | Exclude<ClientFrame, { readonly op: 'event' }>
  | {
      readonly op?: undefined;
      readonly event: string;
      readonly data: unknown;
      readonly id?: FrameId;
    };

/** The form that names and patterns have in common. */
const FORM = /^[\w*-]+:[\w*.-]+$/;

/**
 * The types do not stop JavaScript code or a cast from passing an invalid name or pattern. This finds such mistakes at
 * once. It is not strict about dots and stars, because the server refuses every other invalid one.
 */
export function checkForm(text: string, otherwise: 'bad_name' | 'bad_pattern' = 'bad_name'): void {
  const isPattern = otherwise === 'bad_pattern';
  if (text.length > MAX_NAME_LENGTH || !FORM.test(text) || (!isPattern && text.includes('*'))) {
    throw clientError(otherwise, text);
  }
}

/** Encodes a frame for the server. Throws a {@link LoopClientError} when its data cannot be written as JSON. */
export function encodeFrame(frame: WireFrame): string {
  if (frame.op === undefined) checkForm(frame.event);
  try {
    return JSON.stringify(frame);
  } catch (cause) {
    throw failure('bad_data', cause);
  }
}

/** Length in bytes, the unit of `maxPayload` and `bufferedAmount`. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
