/** An envelope of this many bytes takes no more letters. Bounds how long reading it keeps an event loop busy. */
const FULL_BYTES = 65_536;

/** What is known about letters that were sent. */
export interface Published {
  /** How many processes Redis handed them to. */
  readonly receivers: number;
  /** How many processes may have been targeted and could not hear them; 0 when that was not counted. */
  readonly missing: number;
}

/** Letters for one Redis channel that are sent in one envelope, and share its outcome. */
export class OutgoingEnvelope {
  /** Whether to count the processes that could not hear it. */
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

  /** Whether the envelope is for this channel and has room for another letter. */
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
