import { atTurnEnd } from '../../util/turn-end.js';
import type { ServerReply } from '../transport-message.js';
import { isCount, isServerReply } from './server-reply.guard.js';

type Packed = readonly [request: number, reply: ServerReply];

/** Sends replies to other processes. Those of one turn of the event loop share one message per process. */
export class ReplyBatches {
  private byOrigin = new Map<string, Packed[]>();

  constructor(private readonly send: (origin: string, batch: string) => void) {}

  add(origin: string, request: number, reply: ServerReply): void {
    if (this.byOrigin.size === 0) atTurnEnd(() => this.flush());
    const batch = this.byOrigin.get(origin) ?? [];
    batch.push([request, reply]);
    this.byOrigin.set(origin, batch);
  }

  private flush(): void {
    const batches = this.byOrigin;
    this.byOrigin = new Map();
    for (const [origin, batch] of batches) this.send(origin, JSON.stringify(batch));
  }
}

/** The readable replies of a batch, and the number of unreadable ones. Throws if the batch itself is unreadable. */
export function parseReplies(batch: string): {
  readonly replies: readonly Packed[];
  readonly unreadable: number;
} {
  const all: unknown = JSON.parse(batch);
  if (!Array.isArray(all)) throw new RangeError('A message of replies is not an array.');
  const replies = all.filter(isPacked);
  return { replies, unreadable: all.length - replies.length };
}

function isPacked(one: unknown): one is Packed {
  return Array.isArray(one) && isCount(one[0]) && isServerReply(one[1]);
}
