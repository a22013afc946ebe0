import { once } from 'node:events';
import { PassThrough, type Writable } from 'node:stream';
import * as ws from 'ws';
import { type Chunk, CHUNK_ENCODING } from '../../../lib/connections/chunk.js';
import { JoinedFrames } from '../../../lib/connections/joined-frames.js';
import { TextFrame } from '../../../lib/connections/text-frame.js';

/** The parser of the `ws` package, which its types leave out. */
const { Receiver } = ws as unknown as {
  readonly Receiver: new (options: { readonly isServer: boolean }) => Writable;
};

const bytesOf = (chunk: Chunk): Buffer =>
  typeof chunk === 'string' ? Buffer.from(chunk, CHUNK_ENCODING) : chunk;

describe('TextFrame', () => {
  it.each([
    [0, 2],
    [1, 2],
    [125, 2],
    [126, 4],
    [2_044, 4],
    [2_045, 4],
    [65_535, 4],
    [65_536, 10],
    [200_000, 10],
  ])('of %i bytes has a header of %i, and a WebSocket parser reads it', async (length, header) => {
    const text = 'x'.repeat(length);
    const frame = new TextFrame(text);
    expect(frame.length).toBe(header + length);
    expect(frame.chunk).toHaveLength(frame.length);
    expect(frame.payload.toString()).toBe(text);
    expect(await parsed(frame.chunk)).toEqual([text]);
  });

  it.each(['😀'.repeat(32), 'é', '\u0080', '\ud800', 'x'.repeat(130) + 'ÿ'])(
    'counts bytes and not characters: %j',
    async (text) => {
      const frame = new TextFrame(text);
      expect(frame.length).toBe((Buffer.byteLength(text) < 126 ? 2 : 4) + Buffer.byteLength(text));
      expect(frame.chunk).toHaveLength(frame.length);
      expect(await parsed(frame.chunk)).toEqual([text.toWellFormed()]);
    },
  );

  it('takes no memory outside the heap when it is short', () => {
    expect(typeof new TextFrame('x'.repeat(2_044)).chunk).toBe('string');
  });

  it('is one piece of memory of its own when it is long, not a window into a shared pool', () => {
    const { chunk, length } = new TextFrame('x'.repeat(2_045));
    expect((chunk as Buffer).buffer.byteLength).toBe(length);
  });
});

describe('JoinedFrames', () => {
  it.each([
    ['short ones', ['a', 'b', 'c']],
    ['a text and bytes', ['a', 'é', 'c'.repeat(3_000), 'd']],
    ['short ones that are long together', Array.from({ length: 30 }, (_, n) => `${n}`.repeat(80))],
  ])('of %s are read one after the other', async (_what, texts) => {
    const frames = texts.map((text) => new TextFrame(text));
    const chunk = new JoinedFrames().chunkOf(frames);
    expect(chunk).toHaveLength(frames.reduce((sum, { length }) => sum + length, 0));
    expect(await parsed(chunk)).toEqual(texts);
  });

  it.each([1, 3_000])('of %i bytes are joined once for all connections that get them', (length) => {
    let asked = 0;
    const frames = ['a', 'b'].map((letter) => {
      const { chunk, ...frame } = new TextFrame(letter.repeat(length));
      return Object.defineProperty(frame, 'chunk', { get: () => (asked++, chunk) }) as TextFrame;
    });
    const joined = new JoinedFrames();
    expect(joined.chunkOf([...frames])).toBe(joined.chunkOf([...frames]));
    expect(asked).toBe(frames.length);
  });

  it('P6: are forgotten with their turn, or the last of a slow reader would be kept for good', async () => {
    const frames = ['a', 'b'].map((letter) => new TextFrame(letter.repeat(3_000)));
    const joined = new JoinedFrames();
    const first = joined.chunkOf(frames);
    await new Promise((resolve) => setImmediate(resolve));
    expect(joined.chunkOf(frames)).not.toBe(first);
  });
});

async function parsed(chunk: Chunk): Promise<string[]> {
  const receiver = new Receiver({ isServer: false });
  const texts: string[] = [];
  receiver.on('message', (data: Buffer) => texts.push(data.toString()));
  const source = new PassThrough();
  source.pipe(receiver);
  source.end(bytesOf(chunk));
  await once(receiver, 'finish');
  return texts;
}
