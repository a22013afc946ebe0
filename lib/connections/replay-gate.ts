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

/** Which events of a history a connection takes as they come: none while what came before is being replayed to it. */
export class ReplayGate {
  /** Positions of its topics when it was opened, while it takes nothing of any; a client that resumes opens so. */
  private opened: Map<string, Position> | undefined;
  private readonly held = new Map<string, Held>();
  private readonly replayedTo = new Map<string, number>();

  get holdsAll(): boolean {
    return this.opened !== undefined;
  }

  /** Takes nothing until {@link openedAt}. */
  holdAll(positions: ReadonlyMap<string, Position>): void {
    this.opened = new Map(positions);
  }

  /** A topic that was gained while it holds all. */
  alsoOpenedAt(topic: string, position: Position): void {
    this.opened?.set(topic, position);
  }

  /** Ends holding all; returns where each topic was when it began. */
  openedAt(): ReadonlyMap<string, Position> {
    const { opened } = this;
    this.opened = undefined;
    return opened ?? new Map();
  }

  /** From here on what comes waits until the topic is released. */
  hold(topic: string): void {
    this.held.set(topic, { waiting: [], overflowed: false, wasReset: false });
  }

  /** What has become of a topic since it was held. */
  heldOf(topic: string): HeldTopic {
    return this.held.get(topic)!;
  }

  /** From here on it takes what comes, except what it was given already. */
  release(topic: string, replayedTo: number): void {
    this.held.delete(topic);
    this.replayedTo.set(topic, replayedTo);
  }

  /** Whether what comes waits now. */
  holds(topic: string): boolean {
    return this.opened !== undefined || this.held.has(topic);
  }

  takes(topic: string, push: PlacedPush): boolean {
    if (this.opened !== undefined) return false;
    const held = this.held.get(topic);
    if (held !== undefined) {
      if (held.waiting.length < MOST_WAITING) held.waiting.push(push);
      else held.overflowed = true;
      return false;
    }
    const replayedTo = this.replayedTo.get(topic);
    if (replayedTo === undefined) return true;
    if (push.place.position.n <= replayedTo) return false;
    return this.replayedTo.delete(topic);
  }

  /** The history was begun anew, and its numbers mean nothing any more. */
  forget(topic: string): void {
    this.replayedTo.delete(topic);
    const held = this.held.get(topic);
    if (held !== undefined) held.wasReset = true;
  }
}
