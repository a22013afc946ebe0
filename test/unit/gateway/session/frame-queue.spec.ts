import { setImmediate as turn } from 'node:timers/promises';
import { FrameQueue } from '../../../../lib/gateway/session/frame-queue.js';
import { deferred } from '../../../support/eventually.js';

class Feeder {
  readonly calls: string[] = [];
  pause(): void {
    this.calls.push('pause');
  }
  resume(): void {
    this.calls.push('resume');
  }
}

function queue(concurrency = 1, maxWaiting = 4) {
  const feeder = new Feeder();
  const frames = new FrameQueue(feeder, concurrency, maxWaiting);
  const started: number[] = [];
  const gates = new Map<number, () => void>();
  const push = (n: number, alone = false): void =>
    frames.push(async () => {
      started.push(n);
      const gate = deferred();
      gates.set(n, gate.resolve);
      await gate.promise;
    }, alone);
  const finish = async (n: number): Promise<void> => {
    gates.get(n)!();
    await turn();
  };
  return { feeder, frames, started, push, finish };
}

describe('FrameQueue', () => {
  it('runs one that wants to be alone after all before it, and before all after it', async () => {
    const { frames, started, push, finish } = queue(3);
    push(1);
    push(2);
    push(3, true);
    push(4);
    frames.start();
    await turn();
    expect(started).toEqual([1, 2]);
    await finish(2);
    expect(started).toEqual([1, 2]);
    await finish(1);
    expect(started).toEqual([1, 2, 3]);
    await finish(3);
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('runs nothing before it is started, then everything in order, one after another', async () => {
    const { frames, started, push, finish } = queue();
    for (const n of [1, 2, 3]) push(n);
    await turn();
    expect(started).toEqual([]);
    frames.start();
    expect(started).toEqual([1]);
    await finish(1);
    expect(started).toEqual([1, 2]);
    push(4);
    await finish(2);
    await finish(3);
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('runs as many at once as it may, and starts them in order', async () => {
    const { frames, started, push, finish } = queue(3);
    frames.start();
    for (const n of [1, 2, 3, 4, 5]) push(n);
    expect(started).toEqual([1, 2, 3]);
    await finish(2);
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('P6: holds its feeder back above maxWaiting, and lets it go at half', async () => {
    const { frames, feeder, push, finish } = queue(1, 4);
    frames.start();
    for (let n = 0; n < 5; n++) push(n); // one runs, four wait
    expect([feeder.calls, frames.isPaused]).toEqual([[], false]);
    push(5);
    push(6);
    expect([feeder.calls, frames.isPaused]).toEqual([['pause'], true]);
    for (const n of [0, 1, 2, 3]) await finish(n);
    expect(feeder.calls).toEqual(['pause']);
    await finish(4); // two waited
    expect([feeder.calls, frames.isPaused]).toEqual([['pause', 'resume'], false]);
  });

  it('holds its feeder back before it is started, too', () => {
    const { feeder, push } = queue(1, 2);
    for (const n of [1, 2, 3]) push(n);
    expect(feeder.calls).toEqual(['pause']);
  });

  it('forgets what waits when it is stopped, takes nothing more, and leaves its feeder alone', async () => {
    const { frames, feeder, started, push, finish } = queue(1, 1);
    frames.start();
    for (const n of [1, 2, 3]) push(n);
    frames.stop();
    push(4);
    await finish(1);
    expect(started).toEqual([1]);
    expect(feeder.calls).toEqual(['pause']);
  });
});
