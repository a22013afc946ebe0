import type { ConnectionClose } from '../connections/loop-connection.js';
import type { Session } from './session.js';
import { Step, type Takedown } from './takedown.js';

/** The end of one session: comes once, and undoes what was done until then and what is done later. */
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

  /** One more step has been taken; it is undone at once when the end has come. */
  reach(step: Step): void {
    if (this.close === undefined) this.reached = step;
    else this.takedown.undo(step, this.session, this.close);
  }

  /** Only the first call counts: a socket that this server closed reports its closing later once more. */
  come(close: ConnectionClose): void {
    if (this.hasCome) return;
    this.close = close;
    this.takedown.undoAll(this.reached, this.session, close);
  }
}
