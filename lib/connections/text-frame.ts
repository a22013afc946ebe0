import { type Chunk, LONGEST_TEXT_CHUNK } from './chunk.js';

const FINAL_TEXT = 0x81;

/**
 * A finished WebSocket text frame: header and payload in one, unmasked as servers send it (RFC 6455, section 5.2). Built
 * once per event and shared by every connection that gets it.
 */
export class TextFrame {
  /** What goes onto the TCP stream. */
  readonly chunk: Chunk;
  /** Of all that, in bytes. */
  readonly length: number;
  private readonly headerLength: number;

  /** @param deadline On the monotonic clock: a frame that still waits then is not sent. Default: it is always sent. */
  constructor(
    text: string,
    readonly deadline = Infinity,
  ) {
    const textLength = Buffer.byteLength(text);
    const header = headerFor(textLength);
    const isAscii = textLength === text.length;
    this.headerLength = header.length;
    this.length = header.length + textLength;
    this.chunk =
      isAscii && this.length <= LONGEST_TEXT_CHUNK
        ? String.fromCharCode(...header) + text
        : bytesOf(header, text, this.length);
  }

  /** The text alone, for sockets that must frame it themselves. */
  get payload(): Chunk {
    const { chunk, headerLength } = this;
    return typeof chunk === 'string' ? chunk.slice(headerLength) : chunk.subarray(headerLength);
  }
}

function headerFor(length: number): readonly number[] {
  if (length < 126) return [FINAL_TEXT, length];
  if (length < 65_536) return [FINAL_TEXT, 126, length >>> 8, length & 0xff];
  const bytes = [24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff);
  return [FINAL_TEXT, 127, 0, 0, 0, 0, ...bytes]; // no text of this engine needs more than 32 bits
}

/** Memory of its own and no window into a shared pool, which a frame that waits for a slow reader would keep as a whole. */
function bytesOf(header: readonly number[], text: string, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  bytes.set(header);
  bytes.write(text, header.length);
  return bytes;
}
