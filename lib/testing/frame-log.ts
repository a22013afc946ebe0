import { LoopWsError } from '../loop-ws.errors.js';
import type { ServerFrame } from '../protocol/frames.js';

type Fits = (frame: ServerFrame) => boolean;

interface Waiter {
  take(frame: ServerFrame, position: number): void;
  giveUp(why: string): void;
}

/** Frames in the order of arrival, and those who wait for one. Nothing that arrived before a wait is missed. */
export class FrameLog {
  readonly frames: ServerFrame[] = [];
  private readonly waiters = new Set<Waiter>();
  private cursor = 0;
  private ended: string | undefined;

  constructor(private readonly timeoutMs: number) {}

  add(frame: ServerFrame): void {
    const position = this.frames.push(frame);
    for (const waiter of this.waiters) waiter.take(frame, position);
  }

  /** No more frames are to be waited for; the first reason is the one that counts. */
  end(why: string): void {
    this.ended ??= why;
    for (const waiter of this.waiters) waiter.giveUp(this.ended);
  }

  /** The first frame that fits after the one that was returned last. */
  async next(what: string, fits: Fits): Promise<ServerFrame> {
    const { frame, position } = await this.waitFrom(this.cursor, what, fits);
    this.cursor = position;
    return frame;
  }

  /** The first frame that fits, wherever it is; does not move `next`. */
  async find(what: string, fits: Fits): Promise<ServerFrame> {
    return (await this.waitFrom(0, what, fits)).frame;
  }

  private waitFrom(
    from: number,
    what: string,
    fits: Fits,
  ): Promise<{ frame: ServerFrame; position: number }> {
    const index = this.frames.findIndex((frame, at) => at >= from && fits(frame));
    if (index !== -1) return Promise.resolve({ frame: this.frames[index]!, position: index + 1 });
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
      };
      const waiter: Waiter = {
        take: (frame, position) => {
          if (!fits(frame)) return;
          finish();
          resolve({ frame, position });
        },
        giveUp: (why) => {
          finish();
          reject(this.inVain(what, why, from));
        },
      };
      const timer = setTimeout(
        () => waiter.giveUp(`nothing more came within ${this.timeoutMs} ms`),
        this.timeoutMs,
      );
      this.waiters.add(waiter);
      if (this.ended !== undefined) waiter.giveUp(this.ended);
    });
  }

  private inVain(what: string, why: string, from: number): LoopWsError {
    const seen = this.frames.slice(from).map((frame) => `  ${JSON.stringify(frame)}`);
    const list = seen.length === 0 ? 'No frame came.' : `Frames that came:\n${seen.join('\n')}`;
    return new LoopWsError(`Waited for ${what}: ${why}. ${list}`);
  }
}
