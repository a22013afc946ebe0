import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { inParallel } from '../../util/in-parallel.js';
import { randomId } from '../../util/random-id.js';
import type { ConfirmedPositions, Given } from './confirmed-positions.js';
import { VOUCH } from './history.scripts.js';
import { shardChunksOf } from './shard-chunks.js';

const CHUNKS_AT_ONCE = 4;

/** The wait before failed checks are repeated, in milliseconds. */
const RETRY_MS = 500;

/** Finds out whether Redis has lost writes that it had confirmed, and starts the affected histories anew. */
export class LossCheck {
  /**
   * The positions to check after a new connection. They are kept apart from the confirmed positions, which move on:
   * once new pushes have taken the places of lost ones, only the old positions prove the loss.
   */
  private readonly open = new Set<Given>();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly backbone: RedisBackbone,
    confirmed: ConfirmedPositions,
  ) {
    // A new connection may lead to a Redis server that lacks writes which the previous one had confirmed.
    backbone.link.onUp(() => {
      for (const given of confirmed.all()) this.open.add(given);
      void this.checkOpen();
    });
  }

  /** Checks positions of one shard. */
  async vouch(given: readonly Given[]): Promise<void> {
    const { link, keys, pubSub } = this.backbone;
    const scriptKeys = given.flatMap(({ topic }) => {
      const { position, entries } = keys.historyOf(topic);
      return [position, entries];
    });
    const args = given.flatMap(({ topic, position: { n, id } }) => [keys.channelOf(topic), n, id]);
    await link.run(VOUCH, scriptKeys, [randomId(), pubSub.publish, ...args]);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
  }

  private async checkOpen(): Promise<void> {
    clearTimeout(this.retry);
    const chunks = shardChunksOf(this.backbone.keys, [...this.open], ({ topic }) => topic);
    this.open.clear(); // before the check: a new connection during it adds them all again
    await inParallel(CHUNKS_AT_ONCE, chunks, (chunk) => this.checkChunk(chunk));
    if (this.open.size === 0 || this.closed) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.checkOpen(), RETRY_MS).unref();
  }

  private async checkChunk(chunk: readonly Given[]): Promise<void> {
    try {
      await this.vouch(chunk);
    } catch (error) {
      for (const given of chunk) this.open.add(given);
      this.backbone.logger.warn(
        'vouch',
        'Histories could not be checked after a new connection; the check is repeated',
        error,
      );
    }
  }
}
