import type { ConnectionClose } from '../connections/loop-connection.js';
import type { SampledLogger } from '../util/sampled-logger.js';

type Undo = (close: ConnectionClose) => void;

/** What must be undone when a session ends, last done first; once it has ended, at once. */
export class SessionEnd {
  private readonly undos: Undo[] = [];
  private close: ConnectionClose | undefined;

  constructor(private readonly logger: SampledLogger) {}

  get hasCome(): boolean {
    return this.close !== undefined;
  }

  undo(undo: Undo): void {
    if (this.close === undefined) this.undos.push(undo);
    else this.run(undo, this.close);
  }

  /** Only the first call counts: a socket that this server closed reports its closing later once more. */
  come(close: ConnectionClose): void {
    if (this.hasCome) return;
    this.close = close;
    for (const undo of this.undos.toReversed()) this.run(undo, close);
    this.undos.length = 0;
  }

  /** One that fails must not keep the others from being done. */
  private run(undo: Undo, close: ConnectionClose): void {
    try {
      undo(close);
    } catch (error) {
      this.logger.error('end', 'A part of a connection could not be taken down', error);
    }
  }
}
