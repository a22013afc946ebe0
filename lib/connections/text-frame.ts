const FINAL_TEXT = 0x81;

/**
 * A finished WebSocket text frame: header and payload in one buffer, unmasked as servers send it (RFC 6455, section
 * 5.2). Built once per event and shared by every connection that gets it.
 */
export class TextFrame {
  /** What goes onto the TCP stream. */
  readonly bytes: Buffer;
  /** Of all that, in bytes. */
  readonly length: number;
  /** The text alone, for sockets that must frame it themselves. */
  readonly payload: Buffer;

  /** @param deadline On the monotonic clock: a frame that still waits then is not sent. Default: it is always sent. */
  constructor(
    text: string,
    readonly deadline = Infinity,
  ) {
    const textLength = Buffer.byteLength(text);
    const headerLength = headerLengthFor(textLength);
    this.length = headerLength + textLength;
    this.bytes = Buffer.allocUnsafeSlow(this.length);
    writeHeader(this.bytes, textLength);
    this.bytes.write(text, headerLength);
    this.payload = this.bytes.subarray(headerLength);
  }
}

function headerLengthFor(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

function writeHeader(bytes: Buffer, length: number): void {
  bytes[0] = FINAL_TEXT;
  if (length < 126) {
    bytes[1] = length;
  } else if (length < 65_536) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
}
