import type { Topic } from './topic.js';
import type { TopicHistory } from './topic-history.js';
import type { PublishOptions } from './publish-options.js';
import type { ServerReply, TransportMessage, TransportReceipt } from './transport-message.js';

/** This server, as a transport sees it. */
export interface TransportServer {
  readonly serverId: string;
  /**
   * Called for each message from another server on an attached topic, and for each push placed in the history of an
   * attached topic, whichever server placed it. Settles; never throws. It may take as long as a client takes to answer,
   * so later messages must not wait for it.
   */
  receive(message: TransportMessage): ServerReply | Promise<ServerReply>;
  /**
   * Called when messages on these topics (by default on any attached topic) may have been missed, and from now on none
   * are: for example, after a broken connection was replaced. Durable pushes are then read from the histories.
   */
  mayHaveMissed(topics?: readonly Topic[]): void;
}

/**
 * Carries messages between servers. Also the injection token: the injected instance delegates to the one given as
 * option, and withholds the calls that this contract excludes. `publish` never delivers on the publishing server: the
 * bus has already done that itself.
 */
export abstract class LoopTransport {
  /**
   * Whether this process can reach the others and hears every topic that it is attached to, as far as it knows without
   * asking. Another process may still be cut off. Meant for health checks: do not make publishing depend on it, because
   * only the receipt tells what became of a message.
   */
  abstract readonly isLive: boolean;

  /** Absent when this transport keeps no histories; then no service may have one. */
  readonly history?: TopicHistory;

  /** Called once, before any other method. Resolves when messages can flow; no other call is made until then. */
  abstract start(server: TransportServer): Promise<void>;

  /**
   * Resolves once every later message on these topics is certain to arrive at `receive`. After a rejection it is called
   * again for the topics that are still needed.
   */
  abstract attach(topics: readonly Topic[]): Promise<void>;

  /** Messages on these topics are no longer wanted. Also called after their `attach` has rejected. Must not throw. */
  abstract detach(topics: readonly Topic[]): void;

  /**
   * Hands the message to every other server that is attached to the topic, and gathers their replies. Messages on one
   * topic keep the order of the calls. Settles within `timeoutMs`; servers that have not replied by then are missing
   * from the replies. For a message to one connection, the reply of the server that has it may be the only one. Rejects
   * when the number of servers that had to reply is not known, with a `LoopTransportError` if one of its codes gives
   * the reason.
   */
  abstract publish(
    topic: Topic,
    message: TransportMessage,
    options: PublishOptions,
  ): Promise<TransportReceipt>;

  /** Called once, after the last connection has closed. No other call follows. */
  abstract close(): Promise<void>;
}
