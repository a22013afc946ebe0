import type { Position } from '../transport/position.js';
import type { PlacedPush } from '../transport/topic-history.js';

/** Events of one topic that may come while what was before them is being read. More are read as well. */
const MOST_WAITING = 1_000;

interface Held {
  /** What came meanwhile, in order. */
  waiting: PlacedPush[];
  /** Whether some of it had no room. */
  overflowed: boolean;
  /** Whether the history was begun anew meanwhile. */
  wasReset: boolean;
}

/** What became of a topic while it was held. */
export type HeldTopic = Readonly<Held>;

/**
 * Which events of a history a connection takes as they come: none while what came before is being replayed to it. What it
 * remembers is there only while there is something to remember.
 */
export class ReplayGate {
  /** Positions of its topics when it was opened, while it takes nothing of any; a client that resumes opens so. */
  private opened: Map<string, Position> | undefined;
  private held: Map<string, Held> | undefined;
  /** Of topics that were released and have had nothing new since. */
  private replayedTo: Map<string, number> | undefined;
  /** Behind which number it was given everything of a topic. */
  private begun: Map<string, number> | undefined;
  /** Topics of which a reset told that what was before is given up. */
  private restarted: Set<string> | undefined;

  get holdsAll(): boolean {
    return this.opened !== undefined;
  }

  /** Takes nothing until {@link openedAt}. */
  holdAll(positions: ReadonlyMap<string, Position>): void {
    this.opened = new Map(positions);
  }

  /** A topic is new to it from here on; while it holds all, that is where it was opened. */
  begin(topic: string, position: Position): void {
    if (this.opened === undefined) this.noteBegun(topic, position.n);
    else this.opened.set(topic, position);
  }

  /** Ends holding all; returns where each topic was when it began. */
  openedAt(): ReadonlyMap<string, Position> {
    const { opened } = this;
    this.opened = undefined;
    return opened ?? new Map();
  }

  /** Behind which number it was given everything of the topic that it had a pattern for; absent if nothing at all. */
  begunAt(topic: string): number | undefined {
    return this.begun?.get(topic);
  }

  /** Whether what followed the number was given up by a reset, and would be out of turn now. */
  isPast(topic: string, n: number): boolean {
    return this.restarted?.has(topic) === true && n < (this.begunAt(topic) ?? 0);
  }

  /** From here on what comes waits until the topic is released. */
  hold(topic: string): void {
    this.held ??= new Map();
    this.held.set(topic, { waiting: [], overflowed: false, wasReset: false });
  }

  /** What has become of a topic since it was held. */
  heldOf(topic: string): HeldTopic {
    return this.held!.get(topic)!;
  }

  /** From here on it takes what comes, except what it was given already: everything behind one number up to another. */
  release(topic: string, begunAt: number, replayedTo: number): void {
    this.drop(topic);
    this.replayedTo ??= new Map();
    this.replayedTo.set(topic, replayedTo);
    this.noteBegun(topic, begunAt);
  }

  /** It is none of its topics after all. */
  drop(topic: string): void {
    this.held?.delete(topic);
    if (this.held?.size === 0) this.held = undefined;
  }

  /** Whether what comes waits now. */
  holds(topic: string): boolean {
    return this.opened !== undefined || this.held?.has(topic) === true;
  }

  takes(topic: string, push: PlacedPush): boolean {
    if (this.opened !== undefined) return false;
    const held = this.held?.get(topic);
    if (held !== undefined) {
      if (held.waiting.length < MOST_WAITING) held.waiting.push(push);
      else held.overflowed = true;
      return false;
    }
    const replayedTo = this.replayedTo?.get(topic);
    if (replayedTo === undefined) return true;
    if (push.place.position.n <= replayedTo) return false;
    this.forgetReplayed(topic);
    return true;
  }

  /** The client is told that everything up to the position is given up: it is never replayed. */
  restart(topic: string, { n }: Position): void {
    this.noteBegun(topic, n);
    (this.restarted ??= new Set()).add(topic);
  }

  /** The history was begun anew, and its numbers mean nothing any more. */
  lose(topic: string): void {
    this.forgetReplayed(topic);
    const held = this.held?.get(topic);
    if (held !== undefined) held.wasReset = true;
  }

  /** The connection does not get the topic any more. */
  forget(topic: string): void {
    this.forgetReplayed(topic);
    this.begun?.delete(topic);
    this.restarted?.delete(topic);
  }

  private forgetReplayed(topic: string): void {
    this.replayedTo?.delete(topic);
    if (this.replayedTo?.size === 0) this.replayedTo = undefined;
  }

  private noteBegun(topic: string, n: number): void {
    (this.begun ??= new Map()).set(topic, n);
  }
}
