import { LoopTransport } from '../loop-transport.js';
import type { TransportReceipt } from '../transport-message.js';

/** One server: there is nobody else to carry anything to. */
export class MemoryTransport extends LoopTransport {
  override readonly isLive = true;

  override async start(): Promise<void> {}

  override async attach(): Promise<void> {}

  override detach(): void {}

  override async publish(): Promise<TransportReceipt> {
    return { expected: 0, replies: [] };
  }

  override async close(): Promise<void> {}
}
