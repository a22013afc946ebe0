import {
  LoopTransport,
  type PublishOptions,
  type Topic,
  type TransportMessage,
  type TransportReceipt,
  type TransportServer,
} from '../../lib/index.js';

/** Joins nobody and does nothing; a test overrides what it is about. */
export class NullTransport extends LoopTransport {
  override readonly isLive: boolean = true;
  override async start(_server: TransportServer): Promise<void> {}
  override async attach(_topics: readonly Topic[]): Promise<void> {}
  override detach(_topics: readonly Topic[]): void {}
  override async publish(
    _topic: Topic,
    _message: TransportMessage,
    _options: PublishOptions,
  ): Promise<TransportReceipt> {
    return { expected: 0, replies: [] };
  }
  override async close(): Promise<void> {}
}
