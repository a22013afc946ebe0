/**
 * What is written to a stream at once. A short chunk is a string with one character per byte, which Node copies into
 * the write: allocating and freeing memory outside the JavaScript heap is a fifth of the cost of a push to one
 * connection. `length` is in bytes either way.
 */
export type Chunk = string | Buffer;

/** The encoding of chunks that are strings. */
export const CHUNK_ENCODING = 'latin1';

/** In bytes. Longer chunks are buffers, which connections share without copying. */
export const MAX_STRING_CHUNK = 2_048;

/** Concatenates the chunks. */
export function joinChunks(chunks: readonly Chunk[]): Chunk {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (length <= MAX_STRING_CHUNK && chunks.every((chunk) => typeof chunk === 'string')) {
    return chunks.join('');
  }
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const chunk of chunks) {
    if (typeof chunk === 'string') bytes.write(chunk, at, CHUNK_ENCODING);
    else bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
