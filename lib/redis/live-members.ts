/** The processes that may be alive, according to their beats in Redis and their own announcements. */
export class LiveMembers {
  /** When each was last known to be alive, by this process's own monotonic clock. */
  private readonly seen = new Map<string, number>();
  private inLastBeat: ReadonlySet<string> = new Set();
  /** Members that left for good. The reply to a beat that was under way meanwhile may name them once more. */
  private readonly gone = new Set<string>();

  constructor(private readonly serverTimeoutMs: number) {}

  get ids(): Iterable<string> {
    return this.seen.keys();
  }

  /** Whether the last beat showed each of them in Redis. */
  get allBeatsSeen(): boolean {
    return [...this.seen.keys()].every((member) => this.inLastBeat.has(member));
  }

  hasBeat(member: string): boolean {
    return this.inLastBeat.has(member);
  }

  add(member: string): void {
    if (!this.gone.has(member)) this.seen.set(member, performance.now());
  }

  /** Removes the member for good: no process comes back under the same id. */
  remove(member: string): void {
    this.seen.delete(member);
    this.gone.add(member);
  }

  /** Takes in the beats that Redis had at `now`. No member is dropped for silence before `steadySince`. */
  note(beats: readonly [string, number][], now: number, steadySince: number): void {
    const named = new Set(beats.map(([member]) => member));
    for (const member of this.gone) if (!named.has(member)) this.gone.delete(member);
    const alive = beats.filter(
      ([member, beat]) => !this.gone.has(member) && !this.isSilent(beat, now),
    );
    this.inLastBeat = new Set(alive.map(([member]) => member));
    for (const [member, beat] of alive) {
      this.seen.set(member, performance.now() - Math.max(0, now - beat));
    }
    for (const [member, seen] of this.seen) {
      const silentMs = performance.now() - Math.max(seen, steadySince);
      if (!this.inLastBeat.has(member) && silentMs >= this.serverTimeoutMs)
        this.seen.delete(member);
    }
  }

  /** After a failover the time comes from another clock, so a beat in the future counts like one equally far back. */
  isSilent(beat: number, now: number, timeouts = 1): boolean {
    return Math.abs(now - beat) >= timeouts * this.serverTimeoutMs;
  }

  /** For each member, the milliseconds until it will have been silent for too long. */
  overdueIn(): number[] {
    const now = performance.now();
    return [...this.seen.values()].map((seen) => seen + this.serverTimeoutMs - now);
  }
}
