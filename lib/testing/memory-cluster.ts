import { MemoryPresenceStore, PresenceTable } from '../presence/memory/memory.presence-store.js';
import type { PresenceStore } from '../presence/presence-store.js';
import {
  LoopTransport,
  type PublishOptions,
  type TransportServer,
} from '../transport/loop-transport.js';
import { type Topic, topicKey } from '../transport/topic.js';
import type {
  ServerReply,
  TransportMessage,
  TransportReceipt,
} from '../transport/transport-message.js';
import { within } from '../util/within.js';

/**
 * Joins several applications of one process as if they were servers of one cluster.
 *
 * @example
 * const cluster = new MemoryCluster();
 * LoopWsModule.forRoot({ …, transport: cluster.transport(), presence: cluster.presence() })
 */
export class MemoryCluster {
  private readonly nodes = new Set<ClusterTransport>();
  private readonly presenceTable = new PresenceTable();

  /** The transport of one more server. */
  transport(): LoopTransport {
    return new ClusterTransport(this.nodes);
  }

  /** The presence store of one more server. */
  presence(): PresenceStore {
    return new MemoryPresenceStore(this.presenceTable);
  }
}

class ClusterTransport extends LoopTransport {
  private readonly attached = new Set<string>();
  private server: TransportServer | undefined;

  constructor(private readonly nodes: Set<ClusterTransport>) {
    super();
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

  private wants(topic: Topic): boolean {
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
