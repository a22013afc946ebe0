import { setImmediate as turn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { FlushScheduler } from '../../../lib/connections/flush-scheduler.js';
import { Outbox } from '../../../lib/connections/outbox.js';
import { TextFrame } from '../../../lib/connections/text-frame.js';
import type { Wire } from '../../../lib/connections/wire.js';
import { moveClockOn } from '../../support/clock.js';
import { frame, frameOf } from './frames.js';

/** A wire that takes what it is given, and keeps it as backlog while it is stuck. */
class FakeWire implements Wire {
  readonly writes: string[][] = [];
  writable = true;
  backlog = 0;
  readonly writeAhead = 65_536;
  stuck = false;
  private drained: () => void = () => {};

  write(frames: readonly TextFrame[]): void {
    this.writes.push(frames.map(({ payload }) => payload.toString()));
    if (this.stuck) for (const { length } of frames) this.backlog += length;
  }

  onDrain(listener: () => void): void {
    this.drained = listener;
  }

  drain(): void {
    this.stuck = false;
    this.backlog = 0;
    this.drained();
  }
}

const WELCOME = new TextFrame('welcome');

function outbox(maxBytes = 1_000_000): { wire: FakeWire; box: Outbox } {
  const wire = new FakeWire();
  return { wire, box: new Outbox(wire, new FlushScheduler(), maxBytes) };
}

function opened(maxBytes?: number): { wire: FakeWire; box: Outbox } {
  const made = outbox(maxBytes);
  made.box.open(WELCOME);
  made.box.flush();
  made.wire.writes.length = 0;
  return made;
}

afterEach(() => jest.restoreAllMocks());

describe('Outbox', () => {
  it('P6: writes what was offered in one turn once, at its end, in order', async () => {
    const { wire, box } = opened();
    for (const text of ['a', 'b', 'c']) expect(box.offer(frame(text))).toBe(true);
    expect(wire.writes).toEqual([]);
    await turn();
    box.offer(frame('d'));
    await turn();
    expect(wire.writes).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('flushes many outboxes of one turn with one scheduled callback, each in its order', async () => {
    const scheduler = new FlushScheduler();
    const wires = [new FakeWire(), new FakeWire()];
    const boxes = wires.map((wire) => new Outbox(wire, scheduler, 1_000));
    for (const box of boxes) box.open(WELCOME);
    for (const text of ['a', 'b']) for (const box of boxes) box.offer(frame(text));
    await turn();
    expect(wires.map(({ writes }) => writes)).toEqual([
      [['welcome', 'a', 'b']],
      [['welcome', 'a', 'b']],
    ]);
  });

  it('holds everything until it is opened, and lets the welcome out first', async () => {
    const { wire, box } = outbox();
    box.offer(frame('early'));
    await turn();
    expect(wire.writes).toEqual([]);
    box.open(WELCOME);
    box.offer(frame('late'));
    await turn();
    expect(wire.writes).toEqual([['welcome', 'early', 'late']]);
  });

  it('P6: takes frames up to its bound exactly, in its queue and on the wire together', () => {
    const { wire, box } = opened(1_000);
    wire.stuck = true;
    expect(box.offer(frameOf(400))).toBe(true);
    box.flush();
    expect(box.offer(frameOf(600))).toBe(true);
    expect(box.offer(frame(''))).toBe(false);
    expect(wire.backlog).toBe(1_000);
    wire.drain();
    expect(box.offer(frameOf(1_000))).toBe(true);
  });

  it('P6: holds back bytes that its wire does not take, and counts them', () => {
    const { wire, box } = opened(300_000);
    wire.stuck = true;
    for (let n = 0; n < 3; n++) expect(box.offer(frameOf(100_000))).toBe(true);
    box.flush();
    expect(wire.writes).toHaveLength(1); // one frame is past the write-ahead already
    expect(box.blocked).toBe(true);
    expect(box.offer(frameOf(140))).toBe(false);
    wire.drain();
    expect(wire.writes).toHaveLength(3);
  });

  it('does not take a burst within one turn for a slow reader', () => {
    const { wire, box } = opened(1_000);
    for (let n = 0; n < 10; n++) expect(box.offer(frameOf(400))).toBe(true);
    expect(wire.writes.flat().length).toBeGreaterThanOrEqual(8);
    expect(box.offer(frameOf(1_001))).toBe(false);
  });

  it('continues with the drain where it was blocked, in order', async () => {
    const { wire, box } = opened();
    wire.stuck = true;
    box.offer(frameOf(70_000));
    await turn();
    for (const text of ['a', 'b']) box.offer(frame(text));
    await turn();
    expect(wire.writes).toHaveLength(1);
    wire.drain();
    expect(wire.writes.slice(1)).toEqual([['a', 'b']]);
  });

  it('P4: leaves out a frame whose time has passed, and gives back its bytes', async () => {
    const { wire, box } = opened(80_000);
    wire.stuck = true;
    box.offer(frameOf(70_000));
    await turn();
    box.offer(frameOf(9_000, 1));
    box.offer(frame('patient', 60_000));
    moveClockOn(10);
    wire.drain();
    expect(wire.writes.slice(1)).toEqual([['patient']]);
    expect(box.offer(frameOf(80_000))).toBe(true);
  });

  it('P4: writes nothing at all when every frame is too late', async () => {
    const { wire, box } = opened();
    box.offer(frame('a', 0));
    moveClockOn(10);
    box.flush();
    await turn();
    expect(wire.writes).toEqual([]);
  });

  it('writes at its end what it accepted, however slow the wire, and takes nothing after', async () => {
    const { wire, box } = opened();
    wire.stuck = true;
    box.offer(frameOf(70_000));
    await turn();
    box.offer(frame('accepted'));
    box.end();
    expect(wire.writes.at(-1)).toEqual(['accepted']);
    expect(box.offer(frame('refused'))).toBe(false);
    const count = wire.writes.length;
    wire.drain();
    box.end();
    await turn();
    expect(wire.writes).toHaveLength(count);
  });

  it('that was never opened writes nothing at its end', async () => {
    const { wire, box } = outbox();
    box.offer(frame('early'));
    box.end();
    await turn();
    expect(wire.writes).toEqual([]);
  });

  it('writes nothing once a close frame has gone either way', async () => {
    const { wire, box } = opened();
    box.offer(frame('a'));
    wire.writable = false;
    await turn();
    box.end();
    expect(wire.writes).toEqual([]);
  });
});
