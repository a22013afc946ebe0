import { atTurnEnd } from '../../util/turn-end.js';
import type { ServerReply } from '../transport-message.js';

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

export function parseReplies(batch: string): readonly Packed[] {
  return JSON.parse(batch) as Packed[];
}
