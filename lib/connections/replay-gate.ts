import type { Position } from '../transport/position.js';
import type { PlacedPush } from '../transport/topic-history.js';

/** Events of one topic that may wait while earlier ones are being read. Beyond that, they are read as well. */
const MAX_WAITING = 1_000;

interface Held {
  /** The events that arrived meanwhile, in order. */
  waiting: PlacedPush[];
  /** Whether some of them did not fit. */
  overflowed: boolean;
  /** Whether a new history was begun meanwhile. */
  wasReset: boolean;
}

/** What happened to a topic while it was held. */
export type HeldTopic = Readonly<Held>;

/**
 * Decides which events of a history a connection takes as they arrive: none of a topic while earlier ones are being
 * replayed. Its fields exist only while there is something to remember.
 */
export class ReplayGate {
  /**
   * Positions of the topics when the connection was opened; set while everything is held, as for a client that resumes.
   */
  private opened: Map<string, Position> | undefined;
  private held: Map<string, Held> | undefined;
  /** Number up to which a topic was replayed; kept from its release until its next new event. */
  private replayedTo: Map<string, number> | undefined;
  /** Number after which the connection was given every event of a topic. */
  private begun: Map<string, number> | undefined;
  /** Topics for which a `reset` told the client that earlier events are lost. */
  private restarted: Set<string> | undefined;

  get holdsAll(): boolean {
    return this.opened !== undefined;
  }

  /** Takes nothing until {@link openedAt} is called. */
  holdAll(positions: ReadonlyMap<string, Position>): void {
    this.opened = new Map(positions);
  }

  /** Adds a topic that is new to the connection from this position on. */
  begin(topic: string, position: Position): void {
    if (this.opened === undefined) this.noteBegun(topic, position.n);
    else this.opened.set(topic, position);
  }

  /** Stops holding everything. Returns the position of each topic when the holding began. */
  openedAt(): ReadonlyMap<string, Position> {
    const { opened } = this;
    this.opened = undefined;
    return opened ?? new Map();
  }

  /** Number after which the connection was given every event of the topic that it had a pattern for; absent if none. */
  begunAt(topic: string): number | undefined {
    return this.begun?.get(topic);
  }

  /** Whether a reset declared the events after this number lost, so that they would now be out of order. */
  isPast(topic: string, n: number): boolean {
    return this.restarted?.has(topic) === true && n < (this.begunAt(topic) ?? 0);
  }

  /** Holds events of the topic from here on, until it is released. */
  hold(topic: string): void {
    this.held ??= new Map();
    this.held.set(topic, { waiting: [], overflowed: false, wasReset: false });
  }

  /** What has happened to a topic since it was held. */
  heldOf(topic: string): HeldTopic {
    return this.held!.get(topic)!;
  }

  /** Takes events again, except those that were already given: all after number `begunAt`, up to `replayedTo`. */
  release(topic: string, begunAt: number, replayedTo: number): void {
    this.drop(topic);
    this.replayedTo ??= new Map();
    this.replayedTo.set(topic, replayedTo);
    this.noteBegun(topic, begunAt);
  }

  /** Stops holding a topic that is not one of the connection's after all. */
  drop(topic: string): void {
    this.held?.delete(topic);
    if (this.held?.size === 0) this.held = undefined;
  }

  /** Whether events of the topic are held now. */
  holds(topic: string): boolean {
    return this.opened !== undefined || this.held?.has(topic) === true;
  }

  takes(topic: string, push: PlacedPush): boolean {
    if (this.opened !== undefined) return false;
    const held = this.held?.get(topic);
    if (held !== undefined) {
      if (held.waiting.length < MAX_WAITING) held.waiting.push(push);
      else held.overflowed = true;
      return false;
    }
    const replayedTo = this.replayedTo?.get(topic);
    if (replayedTo === undefined) return true;
    if (push.place.position.n <= replayedTo) return false;
    this.forgetReplayed(topic);
    return true;
  }

  /** Notes that the client is told that everything up to the position is lost; it is never replayed. */
  restart(topic: string, { n }: Position): void {
    this.noteBegun(topic, n);
    (this.restarted ??= new Set()).add(topic);
  }

  /** Call it when a new history has begun: the old numbers mean nothing any more. */
  lose(topic: string): void {
    this.forgetReplayed(topic);
    const held = this.held?.get(topic);
    if (held !== undefined) held.wasReset = true;
  }

  /** Call it when the connection no longer gets the topic. */
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
