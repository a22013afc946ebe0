import { TextFrame } from '../../../lib/connections/text-frame.js';

export const frame = (text: string, ttlMs = Infinity): TextFrame =>
  new TextFrame(text, performance.now() + ttlMs);

/** Payload and header together have this many bytes. */
export const frameOf = (bytes: number, ttlMs?: number): TextFrame =>
  frame('x'.repeat(bytes - (bytes > 65_545 ? 10 : bytes > 129 ? 4 : 2)), ttlMs);
