import { LoopTransportError } from '../../loop-ws.errors.js';
import type { RedisBackbone } from '../../redis/redis-backbone.js';
import type { HistoryKeys } from '../../redis/redis-keys.js';
import { notConnected } from '../../redis/not-connected.js';
import { batchesOf } from '../../util/chunks.js';
import { randomId } from '../../util/random-id.js';
import { type Awaiting, settleEach } from '../../util/settle-each.js';
import { atTurnEnd } from '../../util/turn-end.js';
import type { Position } from '../position.js';
import type { TopicPolicy } from '../topic-history.js';
import { APPEND, PLACED_BEFORE, TOO_LATE } from './history.scripts.js';
import { readPosition } from './placed-bytes.js';
import type { Publisher } from './publisher.js';
import type { RollCall } from './roll-call.js';
import { SCRIPT_LIMITS } from './script-bounds.js';

/** A push to be placed in a history. */
export interface Append {
  readonly channel: string;
  readonly keys: HistoryKeys;
  readonly policy: TopicPolicy;
  /** The key that a repetition shares with the first push; `undefined` for a push without an id. */
  readonly idempotencyKey: string | undefined;
  /** When it is too late to place the push, in milliseconds by the Redis clock. */
  readonly deadline: number;
  readonly envelope: Buffer;
}

export interface Appended {
  readonly position: Position;
  /** How many processes Redis handed the push to. Absent when it had been placed before. */
  readonly receivers?: number;
  /** How many processes may have been targeted and could not hear the push. */
  readonly missing: number;
}

interface Waiting extends Awaiting<Appended> {
  readonly append: Append;
}

/** The pushes of one shard, which are placed one after the other. */
interface Lane {
  readonly shard: number;
  waiting: Waiting[];
  running: boolean;
}

/**
 * Places pushes in their histories. Pushes of one shard from one turn of the event loop share a script, and each shard
 * runs one script at a time, so that a later script cannot overtake one that has to be resent.
 */
export class AppendBatches {
  private readonly lanes = new Map<number, Lane>();

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly rollCall: RollCall,
    private readonly publisher: Publisher,
  ) {}

  /** Pushes of one shard keep their order. Rejects with a {@link LoopTransportError}, or with the error from Redis. */
  async place(shard: number, append: Append): Promise<Appended> {
    const { link } = this.backbone;
    if (!link.reaches(append.channel)) throw notConnected();
    const placed = (): Promise<Appended> =>
      new Promise((resolve, reject) => this.add(shard, { append, resolve, reject }));
    return link.window.hold(append.envelope.length, placed);
  }

  private add(shard: number, waiting: Waiting): void {
    const lane = this.lanes.get(shard) ?? { shard, waiting: [], running: false };
    this.lanes.set(shard, lane);
    lane.waiting.push(waiting);
    if (lane.running) return;
    lane.running = true;
    atTurnEnd(() => void this.run(lane));
  }

  private async run(lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      const [batch] = batchesOf(lane.waiting, SCRIPT_LIMITS, bytesOf);
      lane.waiting.splice(0, batch!.length);
      await settleEach(batch!, () =>
        this.append(
          lane.shard,
          batch!.map(({ append }) => append),
        ),
      );
    }
    lane.running = false;
  }

  private async append(
    shard: number,
    batch: readonly Append[],
  ): Promise<(Appended | LoopTransportError)[]> {
    const { link, pubSub, keys } = this.backbone;
    const everyone = keys.rollCallChannelOf(shard);
    const args = [randomId(), pubSub.count, pubSub.publish, everyone];
    this.publisher.flush(shard); // earlier publishes go first
    const missingOf = this.rollCall.begin(everyone);
    const [hearing, ...replies] = await link.run<[number, ...[string, number][]]>(
      APPEND,
      batch.flatMap(keysOf),
      [...args, ...batch.flatMap((one) => this.argumentsOf(one))],
    );
    const missing = missingOf(hearing);
    return replies.map(([position, receivers]) => appendedOf(position, receivers, missing));
  }

  private argumentsOf({ channel, idempotencyKey, policy, deadline, envelope }: Append) {
    const { size, ttlMs, keptMs } = policy;
    const windowMs = idempotencyKey === undefined ? 0 : this.backbone.config.idempotencyWindowMs;
    return [channel, randomId(), size, ttlMs, keptMs, windowMs, deadline, envelope];
  }
}

function bytesOf({ append }: Waiting): number {
  return append.envelope.length;
}

/**
 * A push without an id needs no third key, so the position stands in its place: a key that does not exist would be
 * refused while its slot moves to another server.
 */
function keysOf({ keys, idempotencyKey }: Append): string[] {
  const placed = idempotencyKey === undefined ? keys.position : keys.placed(idempotencyKey);
  return [keys.position, keys.entries, placed];
}

function appendedOf(
  position: string,
  receivers: number,
  missing: number,
): Appended | LoopTransportError {
  if (receivers === TOO_LATE) {
    return new LoopTransportError(
      'timeout',
      'The push reached Redis after its ttlMs had passed and was not kept.',
    );
  }
  const placed = { position: readPosition(position)!, missing };
  return receivers === PLACED_BEFORE ? placed : { ...placed, receivers };
}
