import type { Topic } from './topic.js';
import type { TopicHistory } from './topic-history.js';
import type { ServerReply, TransportMessage, TransportReceipt } from './transport-message.js';

/** This server, as a transport sees it. */
export interface TransportServer {
  readonly serverId: string;
  /**
   * Called for each message of another server on an attached topic, and for each push that was placed in its history,
   * whoever placed it. Settles; never throws. It may take as long as a
   * client takes to answer: the messages behind it must not wait.
   */
  receive(message: TransportMessage): ServerReply | Promise<ServerReply>;
  /**
   * Called when messages on these topics, or on any that is attached, may have been missed, and from now on none are:
   * after a broken connection was replaced, for one. What is in a history is read then.
   */
  heardAgain(topics?: readonly Topic[]): void;
}

/** How a message is published. */
export interface PublishOptions {
  /** When the receipt has to be there at the latest, in milliseconds. */
  readonly timeoutMs: number;
  /** `false`: nobody will look at the receipt, so no server needs to reply, and it may be empty. */
  readonly receipt: boolean;
}

/**
 * Carries messages between servers. Also the injection token: what is injected hands to the instance of the option, and
 * keeps from it what this contract excludes. It never delivers on the server that publishes: that is
 * the bus's own work, done before the message gets here.
 */
export abstract class LoopTransport {
  /**
   * Whether this process has its way to the others and hears every topic that it is attached to, as far as it knows
   * without asking. Another one may be cut off. For health checks: publish whatever it says, for the receipt is what
   * tells the truth about a message.
   */
  abstract readonly isLive: boolean;

  /** Absent when this transport keeps nothing; then no service may have a history. */
  readonly history?: TopicHistory;

  /** Called once, before anything else. Resolves when messages can flow; no other call comes earlier. */
  abstract start(server: TransportServer): Promise<void>;

  /**
   * Resolves once every later message on these topics is sure to arrive at `receive`. When it rejects, whoever needs one
   * of them next makes it be called again.
   */
  abstract attach(topics: readonly Topic[]): Promise<void>;

  /** Messages on these topics are no longer wanted, be it that their `attach` rejected. Must not throw. */
  abstract detach(topics: readonly Topic[]): void;

  /**
   * Hands the message to every other server that is attached to the topic, messages of one topic in the order of the
   * calls, and gathers what they did. Settles within `timeoutMs`; servers that have not answered by then are missing
   * from the replies. Of a message for one connection, the reply of the server that has it may be all. Rejects when it cannot tell how many servers had to answer, with a `LoopTransportError` if the
   * reason is one of those that it knows.
   */
  abstract publish(
    topic: Topic,
    message: TransportMessage,
    options: PublishOptions,
  ): Promise<TransportReceipt>;

  /** Called once, after the last connection. Nothing is called after it. */
  abstract close(): Promise<void>;
}
