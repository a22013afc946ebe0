import { type Chunk, joinChunks } from './chunk.js';
import type { TextFrame } from './text-frame.js';

/** Connections with other subscriptions get other frames of the same turn; so many different ones are remembered. */
const REMEMBERED = 8;

interface Joined {
  readonly frames: readonly TextFrame[];
  readonly chunk: Chunk;
}

/**
 * Several frames in one piece: the kernel takes one piece in half the time of eight. Connections that get the same frames in
 * a turn share it.
 */
export class JoinedFrames {
  private readonly recent: Joined[] = [];
  private oldest = 0;

  chunkOf(frames: readonly TextFrame[]): Chunk {
    const known = this.recent.find((one) => isSame(one.frames, frames));
    return known?.chunk ?? this.join(frames);
  }

  private join(frames: readonly TextFrame[]): Chunk {
    const chunk = joinChunks(frames.map((frame) => frame.chunk));
    this.recent[this.oldest] = { frames, chunk };
    this.oldest = (this.oldest + 1) % REMEMBERED;
    return chunk;
  }
}

function isSame(one: readonly TextFrame[], other: readonly TextFrame[]): boolean {
  return one.length === other.length && one.every((frame, at) => frame === other[at]);
}
