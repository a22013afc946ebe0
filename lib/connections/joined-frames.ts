import { type Chunk, joinChunks } from './chunk.js';
import type { TextFrame } from './text-frame.js';

/** Joined chunks to remember: in one turn, connections with different subscriptions get different frames. */
const REMEMBERED = 8;

interface Joined {
  readonly frames: readonly TextFrame[];
  readonly chunk: Chunk;
}

/**
 * Joins several frames into one chunk: the kernel takes one chunk in half the time of eight. Connections that get the
 * same frames in a turn of the event loop share the chunk; nothing is kept for longer.
 */
export class JoinedFrames {
  private recent: Joined[] = [];
  private oldest = 0;

  chunkOf(frames: readonly TextFrame[]): Chunk {
    const known = this.recent.find((one) => isSame(one.frames, frames));
    return known?.chunk ?? this.join(frames);
  }

  private join(frames: readonly TextFrame[]): Chunk {
    const chunk = joinChunks(frames.map((frame) => frame.chunk));
    if (this.recent.length === 0) setImmediate(() => this.forget());
    this.recent[this.oldest] = { frames, chunk };
    this.oldest = (this.oldest + 1) % REMEMBERED;
    return chunk;
  }

  private forget(): void {
    this.recent = [];
    this.oldest = 0;
  }
}

function isSame(one: readonly TextFrame[], other: readonly TextFrame[]): boolean {
  return one.length === other.length && one.every((frame, at) => frame === other[at]);
}
