/** Enough for a header and a small frame, so that most messages fit without growing the buffer. */
const ROOM_BYTES = 512;

/** Builds a message from numbers and strings in one buffer. */
export class ByteWriter {
  private bytes = Buffer.allocUnsafe(ROOM_BYTES);
  private at = 0;

  byte(value: number): this {
    const at = this.skip(1);
    this.bytes[at] = value;
    return this;
  }

  uint32(value: number): this {
    const at = this.skip(4);
    this.bytes.writeUInt32BE(value, at);
    return this;
  }

  /** Any number; times in milliseconds need more than 32 bits. */
  double(value: number): this {
    const at = this.skip(8);
    this.bytes.writeDoubleBE(value, at);
    return this;
  }

  /** Keeps `undefined` and the empty string distinct. */
  text(value: string | undefined): this {
    if (value === undefined) return this.uint32(0);
    const length = Buffer.byteLength(value);
    return this.uint32(length + 1).write(value, length);
  }

  /** Writes a string without its length, which the reader must know. */
  bare(value: string): this {
    return this.write(value, Buffer.byteLength(value));
  }

  finish(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  private write(value: string, length: number): this {
    const at = this.skip(length);
    this.bytes.write(value, at);
    return this;
  }

  /** Makes room for `count` bytes, and returns where they begin. */
  private skip(count: number): number {
    const start = this.at;
    this.at += count;
    if (this.at > this.bytes.length) this.grow();
    return start;
  }

  private grow(): void {
    const { bytes } = this;
    this.bytes = Buffer.allocUnsafe(Math.max(this.at, 2 * bytes.length));
    bytes.copy(this.bytes);
  }
}

/** Reads what a {@link ByteWriter} wrote. Throws a `RangeError` when bytes are missing. */
export class ByteReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes.readUInt8(this.skip(1));
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.skip(4));
  }

  double(): number {
    return this.bytes.readDoubleBE(this.skip(8));
  }

  text(): string | undefined {
    const length = this.uint32();
    if (length === 0) return undefined;
    const start = this.skip(length - 1);
    if (this.at > this.bytes.length) throw new RangeError('A string is cut short.');
    return this.bytes.toString('utf8', start, this.at);
  }

  private skip(count: number): number {
    const start = this.at;
    this.at += count;
    return start;
  }
}
