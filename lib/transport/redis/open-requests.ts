import { LoopTransportError } from '../../loop-ws.errors.js';
import type { ServerReply, TransportReceipt } from '../transport-message.js';

/** What an unsigned 32-bit number can hold; 0 means that no reply is wanted. */
const MOST_REQUESTS = 0xffff_ffff;

interface Open {
  /** A reply of whoever has the connection settles it. */
  readonly isForOne: boolean;
  readonly replies: ServerReply[];
  /** What this process did, if that is not known before the message comes back. */
  here?: ServerReply;
  /** Own messages come back where this process has a receiver itself; that one is no reply. */
  echoes: number;
  /** How many processes got it, this one perhaps included; absent until Redis says so. */
  receivers?: number;
  missing: number;
  readonly settle: () => void;
  readonly fail: (error: unknown) => void;
}

export interface RequestReceipt extends TransportReceipt {
  readonly here?: ServerReply;
}

/** Messages whose replies are still to come. Replies may be here before Redis has told how many there will be. */
export class OpenRequests {
  private readonly open = new Map<number, Open>();
  private last = 0;

  /**
   * `receipt` settles when everyone has replied, or the one who is meant if it is only for one, or after `timeoutMs`.
   * Rejects when neither Redis nor anybody else has said a word by then: who had to answer would be a guess.
   */
  begin(
    timeoutMs: number,
    isForOne: boolean,
  ): { request: number; receipt: Promise<RequestReceipt> } {
    const request = (this.last = (this.last % MOST_REQUESTS) + 1);
    const receipt = new Promise<RequestReceipt>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.open.delete(request);
      };
      const fail = (error: unknown): void => {
        end();
        reject(error);
      };
      const settle = (): void => {
        if (isWithoutWord(open)) return fail(unconfirmed());
        end();
        resolve(receiptOf(open));
      };
      const timer = setTimeout(settle, timeoutMs);
      const open: Open = { isForOne, replies: [], echoes: 0, missing: 0, settle, fail };
      this.open.set(request, open);
    });
    return { request, receipt };
  }

  /** `missing` processes may have been meant and could not hear it. */
  sent(request: number, receivers: number, missing: number): void {
    const open = this.open.get(request);
    if (open === undefined) return;
    open.receivers = receivers;
    open.missing = missing;
    settleIfWhole(open);
  }

  replied(request: number, reply: ServerReply): void {
    const open = this.open.get(request);
    if (open === undefined) return;
    open.replies.push(reply);
    if (isAnswered(open)) open.settle();
    else settleIfWhole(open);
  }

  echoed(request: number, here?: ServerReply): void {
    const open = this.open.get(request);
    if (open === undefined) return;
    open.echoes++;
    if (here !== undefined) open.here = here;
    settleIfWhole(open);
  }

  /** It was not sent, or nobody knows whether it was. */
  failed(request: number, error: unknown): void {
    this.open.get(request)?.fail(error);
  }

  close(): void {
    for (const { settle } of [...this.open.values()]) settle();
  }
}

function settleIfWhole(open: Open): void {
  if (open.receivers === undefined) return;
  if (open.replies.length + open.echoes >= open.receivers) open.settle();
}

/** Nobody else can have the connection that is meant. */
function isAnswered({ isForOne, replies }: Open): boolean {
  return isForOne && replies.some(({ delivered }) => delivered > 0);
}

function isWithoutWord({ receivers, replies, here }: Open): boolean {
  return receivers === undefined && replies.length === 0 && here === undefined;
}

function unconfirmed(): LoopTransportError {
  return new LoopTransportError('timeout', 'Redis did not confirm the message in time.');
}

/** Without word of Redis somebody else had to be expected, or the receipt would look whole. */
function receiptOf(open: Open): RequestReceipt {
  const { replies, here, echoes, receivers, missing } = open;
  if (isAnswered(open)) return { expected: replies.length, replies };
  const expected = receivers === undefined ? replies.length + 1 : receivers - echoes + missing;
  return { expected, replies, ...(here !== undefined && { here }) };
}
