import { once } from 'node:events';
import { PassThrough, type Writable } from 'node:stream';
import * as ws from 'ws';
import { TextFrame } from '../../../lib/connections/text-frame.js';

/** The parser of the `ws` package, which its types leave out. */
const { Receiver } = ws as unknown as {
  readonly Receiver: new (options: { readonly isServer: boolean }) => Writable;
};

describe('TextFrame', () => {
  it.each([
    [0, 2],
    [1, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
    [200_000, 10],
  ])('of %i bytes has a header of %i, and a WebSocket parser reads it', async (length, header) => {
    const text = 'x'.repeat(length);
    const frame = new TextFrame(text);
    expect(frame.length).toBe(header + length);
    expect(frame.bytes[0]).toBe(0x81);
    expect(frame.payload.toString()).toBe(text);
    expect(await parsed(frame.bytes)).toBe(text);
  });

  it('counts bytes and not characters', async () => {
    const text = '😀'.repeat(32);
    const frame = new TextFrame(text);
    expect(frame.length).toBe(4 + 128);
    expect(await parsed(frame.bytes)).toBe(text);
  });

  it('is one piece of memory of its own, not a window into a shared pool', () => {
    const frame = new TextFrame('small');
    expect(frame.bytes.buffer.byteLength).toBe(frame.length);
    expect(frame.payload.buffer).toBe(frame.bytes.buffer);
  });
});

async function parsed(bytes: Buffer): Promise<string> {
  const receiver = new Receiver({ isServer: false });
  const message = once(receiver, 'message');
  const source = new PassThrough();
  source.pipe(receiver);
  source.end(bytes);
  const [data] = (await message) as [Buffer];
  return data.toString();
}
