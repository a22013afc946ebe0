/** Builds a header of small numbers and short texts. */
export class ByteWriter {
  private readonly parts: Buffer[] = [];

  byte(value: number): this {
    this.parts.push(Buffer.of(value));
    return this;
  }

  uint32(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeUInt32BE(value);
    this.parts.push(part);
    return this;
  }

  /** Any number; times in milliseconds need more than 32 bits. */
  double(value: number): this {
    const part = Buffer.allocUnsafe(8);
    part.writeDoubleBE(value);
    this.parts.push(part);
    return this;
  }

  /** Absent and empty are two things. */
  text(value: string | undefined): this {
    if (value === undefined) return this.uint32(0);
    const bytes = Buffer.from(value);
    this.uint32(bytes.length + 1).parts.push(bytes);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Reads what a {@link ByteWriter} wrote. Throws a `RangeError` where bytes are missing. */
export class ByteReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

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
    if (this.at > this.bytes.length) throw new RangeError('A text is cut short.');
    return this.bytes.toString('utf8', start, this.at);
  }

  private skip(count: number): number {
    const start = this.at;
    this.at += count;
    return start;
  }
}
