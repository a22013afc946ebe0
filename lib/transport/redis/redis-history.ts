import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { randomId } from '../../util/random-id.js';
import { isNext, isSamePosition, type Position } from '../position.js';
import type { Topic } from '../topic.js';
import type {
  AppendOptions,
  AppendReceipt,
  PlacedPush,
  TopicHistory,
  TopicPolicy,
} from '../topic-history.js';
import { idempotencyKeyOf, type PushMessage } from '../transport-message.js';
import type { AppendBatches } from './append-batches.js';
import { decodeEnvelope, encodeHeader, encodeLetter, onlyLetter } from './envelope.codec.js';
import { ConfirmedPositions } from './confirmed-positions.js';
import { POSITIONS, READ } from './history.scripts.js';
import { LossCheck } from './loss-check.js';
import type { MessageSender } from './message-sender.js';
import { readEntry, readPosition } from './placed-bytes.js';
import { shardChunksOf } from './shard-chunks.js';

interface Entry {
  readonly push: PlacedPush;
  readonly until: number;
}

interface Read {
  /** The position of the topic's last push; `undefined` when the topic has no history. */
  readonly position: Position | undefined;
  /** In milliseconds by the Redis clock. */
  readonly now: number;
  readonly entries: readonly Entry[];
}

/**
 * Histories in Redis. Each consists of a list and the position of the last push. One script places, keeps and publishes
 * a push. Every read verifies the chain of positions, so a list that lost entries is never taken for a complete one.
 */
export class RedisHistory implements TopicHistory {
  private readonly confirmed = new ConfirmedPositions();
  private readonly losses: LossCheck;
  private readonly header: Buffer;

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly batches: AppendBatches,
    private readonly sender: MessageSender,
    processId: string,
  ) {
    this.header = encodeHeader(processId);
    this.losses = new LossCheck(backbone, this.confirmed);
  }

  async append(
    topic: Topic,
    push: PushMessage,
    policy: TopicPolicy,
    options: AppendOptions,
  ): Promise<AppendReceipt> {
    const { keys } = this.backbone;
    return this.sender.append(push, options, async (letter) => {
      const appended = await this.batches.place(keys.shardOf(topic), {
        channel: keys.channelOf(topic),
        keys: keys.historyOf(topic),
        policy,
        idempotencyKey: idempotencyKeyOf(push),
        deadline: letter.deadline,
        envelope: Buffer.concat([this.header, encodeLetter(letter)]),
      });
      this.confirmed.add(topic, appended.position);
      return appended;
    });
  }

  async positionsOf(topics: readonly Topic[]): Promise<readonly Position[]> {
    const positions = new Map<Topic, Position>();
    const chunks = shardChunksOf(this.backbone.keys, topics, (topic) => topic);
    await Promise.all(
      chunks.map(async (chunk) => {
        const texts = await this.readPositions(chunk);
        for (const [at, topic] of chunk.entries()) positions.set(topic, readPosition(texts[at]!)!);
      }),
    );
    return topics.map((topic) => positions.get(topic)!);
  }

  async since(topic: Topic, from: Position): Promise<readonly PlacedPush[] | undefined> {
    const { position, now, entries } = await this.read(topic, from);
    if (position === undefined) return undefined;
    let last = from;
    for (const { push, until } of entries) {
      if (!isNext(last, push.place) || until <= now) return undefined;
      last = push.place.position;
    }
    return isSamePosition(last, position) ? entries.map(({ push }) => push) : undefined;
  }

  async latest(topic: Topic): Promise<PlacedPush | undefined> {
    const { position, now, entries } = await this.read(topic);
    const [entry] = entries;
    if (position === undefined || entry === undefined || entry.until <= now) return undefined;
    return isSamePosition(entry.push.place.position, position) ? entry.push : undefined;
  }

  async vouchFor(topic: Topic, position: Position): Promise<void> {
    await this.losses.vouch([{ topic, position }]);
  }

  close(): void {
    this.losses.close();
  }

  private async readPositions(topics: readonly Topic[]): Promise<readonly string[]> {
    const { link, keys, config } = this.backbone;
    const positionKeys = topics.map((topic) => keys.historyOf(topic).position);
    await link.untilReached(positionKeys[0]!, config.attachTimeoutMs);
    return link.run<string[]>(POSITIONS, positionKeys, [randomId()]);
  }

  private async read(topic: Topic, after?: Position): Promise<Read> {
    const { link, keys, config } = this.backbone;
    const { position: positionKey, entries: entriesKey } = keys.historyOf(topic);
    await link.untilReached(positionKey, config.attachTimeoutMs);
    const [position, now, ...entries] = await link.run<[Buffer, number, ...Buffer[]]>(
      READ,
      [positionKey, entriesKey],
      after === undefined ? ['', ''] : [after.n, after.id],
      'bytes',
    );
    return {
      position: readPosition(position.toString()),
      now,
      entries: this.readable(entries, topic, now),
    };
  }

  /**
   * An entry that cannot be read, for example of a later version, counts as lost. Then the other entries are of no use,
   * because the chain is broken.
   */
  private readable(entries: readonly Buffer[], topic: Topic, now: number): readonly Entry[] {
    try {
      return entries.map((bytes) => entryOf(bytes, topic, now));
    } catch (error) {
      this.backbone.logger.warn('history', 'A history entry could not be read', error);
      return [];
    }
  }
}

function entryOf(bytes: Buffer, topic: Topic, now: number): Entry {
  const { place, until, rest } = readEntry(bytes);
  const envelope = decodeEnvelope(rest, topic, now);
  const message = envelope && onlyLetter(envelope).message;
  if (message?.kind !== 'push') throw new RangeError('The history entry is not a push.');
  return { push: { ...message, place }, until };
}
