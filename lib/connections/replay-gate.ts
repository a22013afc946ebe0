import type { Position } from '../transport/position.js';

/** Which events of a history a connection takes as they come: none while what came before is being replayed to it. */
export class ReplayGate {
  /** Positions of its topics when it was opened, while it takes nothing of any; a client that resumes opens so. */
  private opened: ReadonlyMap<string, Position> | undefined;
  private readonly held = new Set<string>();
  private readonly replayedTo = new Map<string, number>();

  get holdsAll(): boolean {
    return this.opened !== undefined;
  }

  /** Takes nothing until {@link openedAt}. */
  holdAll(positions: ReadonlyMap<string, Position>): void {
    this.opened = positions;
  }

  /** Ends holding all; returns where each topic was when it began. */
  openedAt(): ReadonlyMap<string, Position> {
    const { opened } = this;
    this.opened = undefined;
    return opened ?? new Map();
  }

  hold(topic: string): void {
    this.held.add(topic);
  }

  /** From here on it takes what comes, except what it was given already. */
  release(topic: string, replayedTo: number): void {
    this.held.delete(topic);
    this.replayedTo.set(topic, replayedTo);
  }

  takes(topic: string, n: number): boolean {
    if (this.opened !== undefined || this.held.has(topic)) return false;
    const replayedTo = this.replayedTo.get(topic);
    if (replayedTo === undefined) return true;
    if (n <= replayedTo) return false;
    return this.replayedTo.delete(topic);
  }

  /** The history was begun anew, and its numbers mean nothing any more. */
  forget(topic: string): void {
    this.replayedTo.delete(topic);
  }
}
