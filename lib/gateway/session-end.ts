import type { ConnectionClose } from '../connections/loop-connection.js';

type Undo = (close: ConnectionClose) => void;

/** What must be undone when a session ends, last done first; once it has ended, at once. */
export class SessionEnd {
  private readonly undos: Undo[] = [];
  private close: ConnectionClose | undefined;

  get hasCome(): boolean {
    return this.close !== undefined;
  }

  undo(undo: Undo): void {
    if (this.close === undefined) this.undos.push(undo);
    else undo(this.close);
  }

  /** Only the first call counts: a socket that this server closed reports its closing later once more. */
  come(close: ConnectionClose): void {
    if (this.hasCome) return;
    this.close = close;
    for (const undo of this.undos.toReversed()) undo(close);
    this.undos.length = 0;
  }
}
