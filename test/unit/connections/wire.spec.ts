import { setImmediate as turn } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { FlushScheduler } from '../../../lib/connections/flush-scheduler.js';
import type { LoopSocket, LoopStream } from '../../../lib/connections/loop-socket.js';
import { JoinedFrames } from '../../../lib/connections/joined-frames.js';
import { Outbox } from '../../../lib/connections/outbox.js';
import { wireOf } from '../../../lib/connections/wire.js';
import { eventually } from '../../support/eventually.js';
import { frame, frameOf } from './frames.js';

describe('the wire of a stream with a high-water mark of its own', () => {
  it.each([16_384, 65_536, 1_000_000])(
    'P5: of %d bytes: what was accepted follows as soon as the stream has drained',
    async (highWaterMark) => {
      const taken: number[] = [];
      let take = (): void => {};
      const stream = new Writable({
        highWaterMark,
        write(bytes: Buffer, _encoding, done) {
          taken.push(bytes.length);
          take = done;
        },
      });
      const socket = { extensions: '', readyState: 1 } as LoopSocket;
      const box = new Outbox(
        wireOf(socket, stream, new JoinedFrames()),
        new FlushScheduler(),
        10_000_000,
      );
      const sizes = [70_000, 1_100_000, 300];
      box.open(frameOf(sizes[0]!));
      for (const size of sizes.slice(1)) {
        await turn();
        expect(box.offer(frameOf(size))).toBe(true);
      }
      await eventually('all of it is taken', () => {
        take();
        return taken.length === sizes.length;
      });
      expect(taken).toEqual(sizes);
    },
  );

  it('P6: at its end shares the frames that wait with other connections, and copies none', async () => {
    const written: unknown[] = [];
    const stream = new Writable({
      decodeStrings: false,
      write: () => {}, // never done, like the socket of a reader that has stopped
      writev: () => {},
    });
    const write = stream.write.bind(stream) as (
      chunk: unknown,
      encoding: BufferEncoding,
    ) => boolean;
    stream.write = ((chunk: unknown, encoding: BufferEncoding) => {
      written.push(chunk);
      return write(chunk, encoding);
    }) as typeof stream.write;
    const socket = { extensions: '', readyState: 1 } as LoopSocket;
    const wire = wireOf(socket, stream, new JoinedFrames());
    const box = new Outbox(wire, new FlushScheduler(), 10_000_000);
    box.open(frameOf(70_000)); // more than is written ahead
    box.flush();
    const waiting = Array.from({ length: 20 }, () => frameOf(10_000));
    for (const one of waiting) box.offer(one);
    box.end();
    expect(written.slice(1)).toEqual(waiting.map(({ chunk }) => chunk));
    for (const [at, { chunk }] of waiting.entries()) expect(written[at + 1]).toBe(chunk);
  });

  it.each([16_384, 65_536, 1_000_000])(
    'P6: of %d bytes: who waits for room goes on when its bytes are taken, though the stream reports no drain',
    async (highWaterMark) => {
      let take = (): void => {};
      const stream = new Writable({
        highWaterMark,
        write(_bytes: Buffer, _encoding, done) {
          take = done;
        },
      });
      let drains = 0;
      stream.on('drain', () => drains++);
      const socket = { extensions: '', readyState: 1 } as LoopSocket;
      const maxBytes = highWaterMark; // so that half of it is never reported
      const wire = wireOf(socket, stream, new JoinedFrames());
      const box = new Outbox(wire, new FlushScheduler(), maxBytes);
      box.open(frameOf(maxBytes / 2 + 1));
      let goesOn = false;
      const waiting = box.untilCapacity().then(() => (goesOn = true));
      await turn();
      expect(goesOn).toBe(false);
      take();
      await eventually('it goes on', () => goesOn);
      await waiting;
      expect(drains).toBe(0);
    },
  );
});

describe('the wire of a socket with an extension', () => {
  it('goes on when its frames are written, though a ping of the socket itself still waits', async () => {
    const written: (() => void)[] = [];
    const sent: string[] = [];
    const socket = {
      extensions: 'permessage-deflate',
      readyState: 1,
      bufferedAmount: 0,
      send(data: Buffer, _options: object, done: () => void): void {
        sent.push(data.toString());
        this.bufferedAmount += data.length;
        written.push(done);
      },
    };
    const stream = { cork() {}, uncork() {} };
    const wire = wireOf(socket as unknown as LoopSocket, stream as LoopStream, new JoinedFrames());
    const box = new Outbox(wire, new FlushScheduler(), 1_000_000);
    box.open(frameOf(70_000));
    await turn();
    box.offer(frame('next'));
    await turn();
    expect(sent).toHaveLength(1);
    socket.bufferedAmount = 2; // the ping
    written[0]!();
    expect(sent.slice(1)).toEqual(['next']);
  });
});
