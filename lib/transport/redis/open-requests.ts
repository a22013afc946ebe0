import { LoopTransportError } from '../../loop-ws.errors.js';
import type { ServerReply, TransportReceipt } from '../transport-message.js';

/** The largest unsigned 32-bit number. Requests are numbered from 1, because 0 means that no reply is wanted. */
const MAX_REQUEST_NUMBER = 0xffff_ffff;

interface Open {
  /** The reply of the process that has the connection settles the request. */
  readonly isForOne: boolean;
  readonly replies: ServerReply[];
  /** What this process did, if it acts only once its own message comes back. */
  here?: ServerReply;
  /** How often the message came back, as it does when this process is subscribed itself. An echo is not a reply. */
  echoes: number;
  /** How many processes received the message, possibly including this one; absent until Redis reports it. */
  receivers?: number;
  missing: number;
  readonly settle: () => void;
  readonly fail: (error: unknown) => void;
}

export interface RequestReceipt extends TransportReceipt {
  readonly here?: ServerReply;
}

/** Messages that still await replies. Replies may arrive before Redis has reported how many to expect. */
export class OpenRequests {
  private readonly open = new Map<number, Open>();
  private last = 0;

  /**
   * `receipt` settles when every receiver has replied, or after `timeoutMs`. With `isForOne`, the reply of the process
   * that has the connection is enough. Rejects when neither Redis nor any process has answered by then, because the
   * number of expected replies would be a guess.
   */
  begin(
    timeoutMs: number,
    isForOne: boolean,
  ): { request: number; receipt: Promise<RequestReceipt> } {
    const request = (this.last = (this.last % MAX_REQUEST_NUMBER) + 1);
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
        if (hasNoResponse(open)) return fail(unconfirmed());
        end();
        resolve(receiptOf(open));
      };
      const timer = setTimeout(settle, timeoutMs);
      const open: Open = { isForOne, replies: [], echoes: 0, missing: 0, settle, fail };
      this.open.set(request, open);
    });
    return { request, receipt };
  }

  /** Redis has reported the `receivers`. `missing` others may have been targeted and could not hear the message. */
  sent(request: number, receivers: number, missing: number): void {
    const open = this.open.get(request);
    if (open === undefined) return;
    open.receivers = receivers;
    open.missing = missing;
    settleIfComplete(open);
  }

  replied(request: number, reply: ServerReply): void {
    const open = this.open.get(request);
    if (open === undefined) return;
    open.replies.push(reply);
    if (isAnswered(open)) open.settle();
    else settleIfComplete(open);
  }

  echoed(request: number, here?: ServerReply): void {
    const open = this.open.get(request);
    if (open === undefined) return;
    open.echoes++;
    if (here !== undefined) open.here = here;
    settleIfComplete(open);
  }

  /** The message was not sent, or it is not known whether it was. */
  failed(request: number, error: unknown): void {
    this.open.get(request)?.fail(error);
  }

  close(): void {
    for (const { settle } of [...this.open.values()]) settle();
  }
}

function settleIfComplete(open: Open): void {
  if (open.receivers === undefined) return;
  if (open.replies.length + open.echoes >= open.receivers) open.settle();
}

/** No other process can have the targeted connection, so no further reply is needed. */
function isAnswered({ isForOne, replies }: Open): boolean {
  return isForOne && replies.some(({ delivered }) => delivered > 0);
}

function hasNoResponse({ receivers, replies, here }: Open): boolean {
  return receivers === undefined && replies.length === 0 && here === undefined;
}

function unconfirmed(): LoopTransportError {
  return new LoopTransportError('timeout', 'Redis did not confirm the message in time.');
}

/** Until Redis has reported the receivers, one more reply is expected: otherwise the receipt would look complete. */
function receiptOf(open: Open): RequestReceipt {
  const { replies, here, echoes, receivers, missing } = open;
  if (isAnswered(open)) return { expected: replies.length, replies };
  const expected = receivers === undefined ? replies.length + 1 : receivers - echoes + missing;
  return { expected, replies, ...(here !== undefined && { here }) };
}
