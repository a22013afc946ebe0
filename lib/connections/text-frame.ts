import { type Chunk, MAX_STRING_CHUNK } from './chunk.js';

const FINAL_TEXT = 0x81;

/**
 * A finished WebSocket text frame: header and payload in one, unmasked as servers send it (RFC 6455, section 5.2). It
 * is built once per event and shared by every connection that gets it.
 */
export class TextFrame {
  /** What is written to the TCP stream. */
  readonly chunk: Chunk;
  /** Length of the whole frame, in bytes. */
  readonly length: number;
  private readonly headerLength: number;

  /**
   * @param deadline On the monotonic clock: a frame that is still waiting then is not sent. Default: it is always sent.
   */
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
      isAscii && this.length <= MAX_STRING_CHUNK
        ? String.fromCharCode(...header) + text
        : bytesOf(header, text, this.length);
  }

  /** The payload alone, for sockets that must frame it themselves. */
  get payload(): Chunk {
    const { chunk, headerLength } = this;
    return typeof chunk === 'string' ? chunk.slice(headerLength) : chunk.subarray(headerLength);
  }
}

function headerFor(length: number): readonly number[] {
  if (length < 126) return [FINAL_TEXT, length];
  if (length < 65_536) return [FINAL_TEXT, 126, length >>> 8, length & 0xff];
  const bytes = [24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff);
  return [FINAL_TEXT, 127, 0, 0, 0, 0, ...bytes]; // no string in V8 needs more than 32 bits
}

/**
 * Allocates its own memory: a slice of a shared pool would keep all of the pool alive while it waits for a slow reader.
 */
function bytesOf(header: readonly number[], text: string, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  bytes.set(header);
  bytes.write(text, header.length);
  return bytes;
}
