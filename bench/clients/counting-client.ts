import { type Dial, RawWebSocket } from './raw-web-socket.js';
import type { Format } from './wire-format.js';

/** Digits of the number in each event, which stands in quotes behind this text. */
export const NUMBER_DIGITS = 8;
const BEFORE_NUMBER = Buffer.from('"n":"');

/** Digits of the time in each event, in microseconds, and what stands between them and those of the number. */
export const TIME_DIGITS = 14;
const BEFORE_TIME = '","t":"';

const QUOTE = 0x22;
const ZERO = 0x30;

export interface CountingListener {
  /** Called with each event. Its number stands at the place in the bytes, see {@link timeIn}. */
  event(n: number, bytes: Buffer, at: number): void;
  /** Something that no client may see: an event that is missing, doubled or out of order, or the end of its connection. */
  broken(problem: string): void;
}

/** One connection of a benchmark: each event must be the next one, or its run is worth nothing. */
export class CountingClient {
  private socket: RawWebSocket | undefined;
  private ready = false;
  /** Where the number stood in the last event: at the same place in the next one, nearly always. */
  private offset = 0;
  private ended = false;
  private welcomed: () => void = () => {};

  private constructor(
    private readonly format: Format,
    /** Number of the last event. */
    public last: number,
    private readonly listener: CountingListener,
  ) {}

  /** Resolves when the server has taken it, and everything that is published from now on has to arrive. */
  static async open(
    { after, ...dial }: Omit<Dial, 'path'> & { readonly after: number },
    format: Format,
    listener: CountingListener,
  ): Promise<CountingClient> {
    const client = new CountingClient(format, after, listener);
    const welcomed = new Promise<void>((resolve) => (client.welcomed = resolve));
    client.ready = format.welcome === undefined;
    client.socket = await RawWebSocket.open({ ...dial, path: format.path }, client);
    if (format.greeting !== undefined) client.socket.send(format.greeting);
    if (!client.ready) await welcomed;
    return client;
  }

  /** Sends the event so many times, in one write. */
  send(event: string, data: unknown, times: number): void {
    this.socket!.send(this.format.inbound(event, data), times);
  }

  /** What comes is not read any more. The server may end the connection for that. */
  stopReading(): void {
    this.ended = true;
    this.socket!.stopReading();
  }

  end(): void {
    this.ended = true;
    this.socket!.end();
  }

  text(bytes: Buffer, start: number, end: number): void {
    const n = this.numberIn(bytes, start, end);
    if (n === undefined) return this.other(bytes.toString('utf8', start, end));
    if (n !== this.last + 1) this.listener.broken(`Event ${n} came after ${this.last}.`);
    this.last = n;
    this.listener.event(n, bytes, start + this.offset);
  }

  closed(): void {
    if (!this.ended) this.listener.broken('The server closed a connection.');
  }

  private other(text: string): void {
    const { welcome, ping } = this.format;
    if (welcome !== undefined && text.startsWith(welcome)) {
      this.ready = true;
      this.welcomed();
    } else if (text === ping?.[0]) this.socket?.send(ping[1]);
  }

  private numberIn(bytes: Buffer, start: number, end: number): number | undefined {
    let at = start + this.offset;
    if (this.offset === 0 || bytes[at - 1] !== QUOTE || bytes[at + NUMBER_DIGITS] !== QUOTE) {
      const found = bytes.subarray(start, end).indexOf(BEFORE_NUMBER);
      if (found === -1) return undefined;
      this.offset = found + BEFORE_NUMBER.length;
      at = start + this.offset;
    }
    return digitsIn(bytes, at, NUMBER_DIGITS);
  }
}

/** When the event whose number stands there was published, in milliseconds of the machine's monotonic clock. */
export function timeIn(bytes: Buffer, atNumber: number): number {
  return digitsIn(bytes, atNumber + NUMBER_DIGITS + BEFORE_TIME.length, TIME_DIGITS) / 1_000;
}

function digitsIn(bytes: Buffer, at: number, length: number): number {
  let value = 0;
  for (let digit = 0; digit < length; digit++) value = value * 10 + bytes[at + digit]! - ZERO;
  return value;
}
