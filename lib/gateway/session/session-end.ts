import type { ConnectionClose } from '../../connections/loop-connection.js';
import { Step } from './session-step.js';

/** Undoes the steps of sessions. */
export interface Teardown<Session> {
  /** Undoes everything up to and including the step. */
  undoAll(reached: Step, session: Session, close: ConnectionClose): void;
  /** Undoes only what belongs to this step. */
  undo(step: Step, session: Session, close: ConnectionClose): void;
}

/**
 * The end of one session. It begins once, and undoes the steps taken before as well as those that are completed later.
 */
export class SessionEnd<Session> {
  private reached: Step = Step.Listening;
  private close: ConnectionClose | undefined;

  constructor(
    private readonly teardown: Teardown<Session>,
    private readonly session: Session,
  ) {}

  get hasBegun(): boolean {
    return this.close !== undefined;
  }

  /** Records a completed step. Once the end has begun, the step is undone at once. */
  reach(step: Step): void {
    if (this.close === undefined) this.reached = step;
    else this.teardown.undo(step, this.session, this.close);
  }

  /** Only the first call counts: a socket that this server closed reports its closing again later. */
  begin(close: ConnectionClose): void {
    if (this.hasBegun) return;
    this.close = close;
    this.teardown.undoAll(this.reached, this.session, close);
  }
}
