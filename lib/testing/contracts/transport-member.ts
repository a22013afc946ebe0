import type { LoopTransport } from '../../transport/loop-transport.js';
import type { Topic } from '../../transport/topic.js';
import type {
  PushMessage,
  ServerReply,
  TransportMessage,
  TransportReceipt,
} from '../../transport/transport-message.js';
import type { ContractMember } from './check.js';
import { must, mustEqual } from './must.js';
import type { Patience } from './patience.js';

export const ONE_DELIVERED: ServerReply = { delivered: 1, filtered: 0, failed: 0 };

/** Long enough to notice when something waits for it that must not. */
const LONG_MS = 30_000;

/** For questions to the cluster that are asked again and again. */
const BRIEF_MS = 250;

/** A server with the transport under test: keeps what it receives and replies as it is told. */
export class TransportMember implements ContractMember {
  readonly received: TransportMessage[] = [];
  /** What it replies with. */
  reply: (message: TransportMessage) => ServerReply | Promise<ServerReply> = () => ONE_DELIVERED;
  private isRunning = false;

  constructor(
    private readonly transport: LoopTransport,
    private readonly serverId: string,
    readonly patience: Patience,
  ) {}

  /** The names of what it received, in order. */
  get names(): readonly string[] {
    return this.received.map(({ kind, ...message }) =>
      kind === 'disconnect' ? kind : (message as { name: string }).name,
    );
  }

  async start(): Promise<void> {
    const server = {
      serverId: this.serverId,
      receive: (message: TransportMessage) => {
        this.received.push(message);
        return this.reply(message);
      },
      mayHaveMissed: () => {},
    };
    await this.patience.settled('start', this.transport.start(server));
    this.isRunning = true;
  }

  attach(...topics: readonly Topic[]): Promise<void> {
    return this.patience.settled('attach', this.transport.attach(topics));
  }

  detach(...topics: readonly Topic[]): void {
    try {
      this.transport.detach(topics);
    } catch (error) {
      must('detach must not throw', false, String(error));
    }
  }

  /** Must settle within `timeoutMs`, the patience on top of it for a machine that is busy. */
  publish(
    topic: Topic,
    message: TransportMessage,
    timeoutMs = this.patience.withinMs,
  ): Promise<TransportReceipt> {
    const options = { timeoutMs, receipt: true };
    const published = this.transport.publish(topic, message, options);
    return this.patience.settled(`publish with a timeout of ${timeoutMs} ms`, published, timeoutMs);
  }

  /** For what must not wait for its timeout. */
  publishAtOnce(topic: Topic, message: TransportMessage): Promise<TransportReceipt> {
    const options = { timeoutMs: LONG_MS, receipt: true };
    const published = this.transport.publish(topic, message, options);
    return this.patience.settled('publish that needs nobody to answer', published);
  }

  /** Nobody looks at the receipt. */
  async publishUnseen(topic: Topic, message: TransportMessage): Promise<void> {
    const options = { timeoutMs: this.patience.withinMs, receipt: false };
    const published = this.transport.publish(topic, message, options);
    await this.patience.settled('publish without receipt', published, options.timeoutMs);
  }

  /** Publishes until this many servers have to answer, and do. */
  async untilExpected(topic: Topic, expected: number): Promise<void> {
    const receipts: TransportReceipt[] = [];
    await this.patience.until(
      `a message on ${topic.kind} ${JSON.stringify(topic.name)} is for ${expected} other servers`,
      async () => {
        const polling = this.publish(topic, pushTo(topic, 'poll'), BRIEF_MS);
        const receipt = await polling.catch(() => undefined);
        if (receipt === undefined) return false;
        receipts.push(receipt);
        return receipt.expected === expected && receipt.replies.length === expected;
      },
      () => receipts.at(-1),
    );
  }

  /** Publishes and must reach exactly this many. */
  async reach(servers: number, topic: Topic, message: TransportMessage): Promise<void> {
    const receipt = await this.publish(topic, message);
    const what = `publish counts every other server that is attached, ${servers} here, and has their replies`;
    const wanted = Array.from({ length: servers }, () => ONE_DELIVERED);
    mustEqual(what, receipt, { expected: servers, replies: wanted });
  }

  async untilReceived(count: number): Promise<void> {
    await this.patience.until(
      `${this.serverId} receives ${count} messages`,
      () => this.received.length >= count,
      () => this.names.slice(-10),
    );
  }

  async close(): Promise<void> {
    if (!this.isRunning) return;
    this.isRunning = false;
    await this.patience.settled('close', this.transport.close());
  }
}

/** A push that may travel on the topic. */
export function pushTo(topic: Topic, name: string, frame = `"${name}"`): PushMessage {
  return { kind: 'push', target: targetOn(topic), name, frame, ttlMs: 60_000 };
}

function targetOn({ kind, name }: Topic): PushMessage['target'] {
  if (kind === 'account') return { kind, accountId: name };
  return kind === 'room' ? { kind, room: name } : { kind: 'channel' };
}

export function account(name: string): Topic {
  return { kind: 'account', name };
}

export function room(name: string): Topic {
  return { kind: 'room', name };
}

/** Exactly these, in this order. */
export function mustHave(what: string, member: TransportMember, names: readonly string[]): void {
  mustEqual(what, member.names, names);
}
