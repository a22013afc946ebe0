import type { ConnectionClose } from '../connections/loop-connection.js';
import type { Session } from './session.js';
import { Step, type Takedown } from './takedown.js';

/** Ends one session, once: undoes the steps taken so far, and those that are completed later. */
export class SessionEnd {
  private reached: Step = Step.Listening;
  private close: ConnectionClose | undefined;

  constructor(
    private readonly takedown: Takedown,
    private readonly session: Session,
  ) {}

  get hasCome(): boolean {
    return this.close !== undefined;
  }

  /** Records that one more step has been taken. If the session has already ended, the step is undone at once. */
  reach(step: Step): void {
    if (this.close === undefined) this.reached = step;
    else this.takedown.undo(step, this.session, this.close);
  }

  /** Only the first call counts: a socket that this server closes reports its close again later. */
  come(close: ConnectionClose): void {
    if (this.hasCome) return;
    this.close = close;
    this.takedown.undoAll(this.reached, this.session, close);
  }
}
