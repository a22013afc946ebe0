import { LoopTransport, type TransportServer } from '../loop-transport.js';
import type { Topic } from '../topic.js';
import type { AppendReceipt, PlacedPush } from '../topic-history.js';
import { TopicMap } from '../topic-map.js';
import type { TransportReceipt } from '../transport-message.js';
import { MemoryHistory } from './memory-history.js';
import { MemoryLogs } from './memory-logs.js';

/** The transport of a single server: there are no other servers to carry messages to. */
export class MemoryTransport extends LoopTransport {
  override readonly isLive = true;
  override readonly history: MemoryHistory;
  private readonly attached = new TopicMap<true>();
  private readonly logs = new MemoryLogs((topic) => this.attached.has(topic));
  private server: TransportServer | undefined;

  constructor(idempotencyWindowMs: number) {
    super();
    this.history = new MemoryHistory(
      this.logs,
      (topic, push) => this.handOver(topic, push),
      idempotencyWindowMs,
    );
  }

  override async start(server: TransportServer): Promise<void> {
    this.server = server;
  }

  override async attach(topics: readonly Topic[]): Promise<void> {
    for (const topic of topics) this.attached.set(topic, true);
  }

  override detach(topics: readonly Topic[]): void {
    for (const topic of topics) this.attached.delete(topic);
  }

  override async publish(): Promise<TransportReceipt> {
    return { expected: 0, replies: [] };
  }

  override async close(): Promise<void> {
    this.logs.close();
  }

  private async handOver(topic: Topic, push: PlacedPush): Promise<Omit<AppendReceipt, 'position'>> {
    const nobodyElse = { expected: 0, replies: [] };
    if (!this.attached.has(topic)) return nobodyElse;
    return { ...nobodyElse, here: await this.server!.receive(push) };
  }
}
