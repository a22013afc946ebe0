/** An envelope takes no more letters when it has so many bytes. Bounds how long reading it keeps an event loop busy. */
const FULL_BYTES = 65_536;

/** What is known of letters that were sent. */
export interface Published {
  /** How many processes Redis has handed them to. */
  readonly receivers: number;
  /** How many may have been meant and could not hear them; 0 when that was not counted. */
  readonly missing: number;
}

/** Letters for one channel, which travel in one envelope: what becomes of it becomes of them. */
export class OutgoingEnvelope {
  /** Whether it has to be known who could not hear it. */
  isCounted = false;
  /** In bytes. */
  length: number;
  readonly published: Promise<Published>;
  resolve!: (published: Published) => void;
  reject!: (error: unknown) => void;
  private readonly parts: Buffer[];

  constructor(
    readonly channel: string,
    header: Buffer,
  ) {
    this.parts = [header];
    this.length = header.length;
    this.published = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Whether it is for this channel and has room. */
  takes(channel: string): boolean {
    return channel === this.channel && this.length < FULL_BYTES;
  }

  add(letter: Buffer, isCounted: boolean): void {
    this.parts.push(letter);
    this.length += letter.length;
    this.isCounted ||= isCounted;
  }

  finish(): Buffer {
    return Buffer.concat(this.parts, this.length);
  }
}
