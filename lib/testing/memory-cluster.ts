import { MemoryPresenceStore, PresenceTable } from '../presence/memory/memory.presence-store.js';
import type { PresenceStore } from '../presence/presence-store.js';
import { LoopTransport, type TransportServer } from '../transport/loop-transport.js';
import { MemoryHistory } from '../transport/memory/memory-history.js';
import { MemoryLogs } from '../transport/memory/memory-logs.js';
import type { PublishOptions } from '../transport/publish-options.js';
import { type Topic, topicKey } from '../transport/topic.js';
import type { AppendReceipt, PlacedPush } from '../transport/topic-history.js';
import type {
  ServerReply,
  TransportMessage,
  TransportReceipt,
} from '../transport/transport-message.js';
import { within } from '../util/within.js';

/** As by default in a server's own configuration, which a transport does not know. */
const IDEMPOTENCY_WINDOW_MS = 60_000;

/**
 * Joins several applications of one process as if they were servers of one cluster.
 *
 * @example
 * const cluster = new MemoryCluster();
 * LoopWsModule.forRoot({ …, transport: cluster.transport(), presence: cluster.presence() })
 */
export class MemoryCluster {
  private readonly nodes = new Set<ClusterTransport>();
  private readonly logs = new MemoryLogs((topic) =>
    [...this.nodes].some((node) => node.wants(topic)),
  );
  private readonly presenceTable = new PresenceTable();

  /** The transport of one more server. */
  transport(): LoopTransport {
    return new ClusterTransport(this.nodes, this.logs);
  }

  /** The presence store of one more server. */
  presence(): PresenceStore {
    return new MemoryPresenceStore(this.presenceTable);
  }
}

class ClusterTransport extends LoopTransport {
  override readonly history: MemoryHistory;
  private readonly attached = new Set<string>();
  private server: TransportServer | undefined;

  constructor(
    private readonly nodes: Set<ClusterTransport>,
    logs: MemoryLogs,
  ) {
    super();
    this.history = new MemoryHistory(
      logs,
      (topic, push, options) => this.handOver(topic, push, options),
      IDEMPOTENCY_WINDOW_MS,
    );
  }

  override get isLive(): boolean {
    return this.nodes.has(this);
  }

  override async start(server: TransportServer): Promise<void> {
    this.server = server;
    this.nodes.add(this);
  }

  override async attach(topics: readonly Topic[]): Promise<void> {
    for (const topic of topics) this.attached.add(topicKey(topic));
  }

  override detach(topics: readonly Topic[]): void {
    for (const topic of topics) this.attached.delete(topicKey(topic));
  }

  override async publish(
    topic: Topic,
    message: TransportMessage,
    { timeoutMs, receipt }: PublishOptions,
  ): Promise<TransportReceipt> {
    const receivers = [...this.nodes].filter((node) => node !== this && node.wants(topic));
    // Copies, for what crosses servers is data: a message that holds a live object fails here and not in production.
    const copies = receivers.map(() => structuredClone(message));
    const replying = Promise.all(receivers.map((node, at) => node.take(copies[at]!, timeoutMs)));
    const replies = receipt ? await replying : [];
    return {
      expected: receivers.length,
      replies: replies.filter((reply) => reply !== undefined),
    };
  }

  override async close(): Promise<void> {
    this.nodes.delete(this);
  }

  /** The others first get it in the same turn, as with `publish`; what they did is known later. */
  private async handOver(
    topic: Topic,
    push: PlacedPush,
    options: PublishOptions,
  ): Promise<Omit<AppendReceipt, 'position'>> {
    const elsewhere = this.publish(topic, push, options);
    if (!this.wants(topic)) return elsewhere;
    const here = await this.take(push, options.timeoutMs);
    return { ...(await elsewhere), ...(here !== undefined && { here }) };
  }

  wants(topic: Topic): boolean {
    return this.attached.has(topicKey(topic));
  }

  private async take(
    message: TransportMessage,
    timeoutMs: number,
  ): Promise<ServerReply | undefined> {
    const reply = Promise.resolve(this.server!.receive(message));
    return within<ServerReply | undefined>(reply, timeoutMs, () => undefined);
  }
}
