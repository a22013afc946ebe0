import { randomId } from '../../util/random-id.js';
import { isSamePosition, type Place, type Position } from '../position.js';
import type { HistoryPolicy, PlacedPush } from '../topic-history.js';
import { idempotencyKeyOf, type PushMessage } from '../transport-message.js';

interface Entry {
  readonly push: PlacedPush;
  readonly until: number;
}

/** The history of one topic. Times are in milliseconds of one monotonic clock. */
export class MemoryLog {
  private readonly entries: Entry[] = [];
  private readonly ids = new Map<string, { readonly position: Position; readonly until: number }>();
  private last: Position;

  constructor(private readonly beginning: Position) {
    this.last = beginning;
  }

  get position(): Position {
    return this.last;
  }

  /** Whether nothing was ever pushed. */
  get isUntouched(): boolean {
    return this.last === this.beginning;
  }

  /** Whether nothing but the position is kept. */
  get isEmpty(): boolean {
    return this.entries.length === 0 && this.ids.size === 0;
  }

  /** For a repetition, `placed` is absent and `position` is the position of the first push. */
  append(
    push: PushMessage,
    { size, ttlMs }: HistoryPolicy,
    now: number,
    idWindowMs: number,
  ): { readonly position: Position; readonly placed?: PlacedPush } {
    this.forgetIds(now);
    const key = idempotencyKeyOf(push);
    const known = key === undefined ? undefined : this.ids.get(key);
    if (known !== undefined) return { position: known.position };
    const place: Place = {
      position: { n: this.last.n + 1, id: randomId() },
      previousId: this.last.id,
    };
    this.last = place.position;
    const placed = { ...push, place };
    this.entries.push({ push: placed, until: now + ttlMs });
    this.entries.splice(0, this.entries.length - size);
    if (key !== undefined) this.ids.set(key, { position: this.last, until: now + idWindowMs });
    return { position: this.last, placed };
  }

  since(position: Position, now: number): readonly PlacedPush[] | undefined {
    const missed = this.last.n - position.n;
    if (missed === 0) return isSamePosition(position, this.last) ? [] : undefined;
    if (missed < 0 || missed > this.entries.length) return undefined;
    const after = this.entries.slice(this.entries.length - missed);
    const [first] = after;
    const isWhole = first!.push.place.previousId === position.id;
    return isWhole && after.every(({ until }) => until > now)
      ? after.map(({ push }) => push)
      : undefined;
  }

  latest(now: number): PlacedPush | undefined {
    const entry = this.entries.at(-1);
    return entry !== undefined && entry.until > now ? entry.push : undefined;
  }

  /** Drops what is too old. The position stays. */
  prune(now: number): void {
    const fresh = this.entries.findIndex(({ until }) => until > now);
    this.entries.splice(0, fresh === -1 ? this.entries.length : fresh);
    this.forgetIds(now);
  }

  private forgetIds(now: number): void {
    for (const [id, { until }] of this.ids) {
      if (until > now) return;
      this.ids.delete(id);
    }
  }
}
