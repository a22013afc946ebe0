/**
 * What is written onto a stream at once. Short ones are a text with one letter for each byte, which Node copies into the
 * write: to make memory outside the engine's heap and to free it is a fifth of what a push to one connection costs. Either
 * way `length` is in bytes.
 */
export type Chunk = string | Buffer;

/** How a text becomes bytes. */
export const CHUNK_ENCODING = 'latin1';

/** In bytes. Longer ones are bytes, which connections share without copying them. */
export const LONGEST_TEXT_CHUNK = 2_048;

/** One after the other, in one. */
export function joinChunks(chunks: readonly Chunk[]): Chunk {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (length <= LONGEST_TEXT_CHUNK && chunks.every((chunk) => typeof chunk === 'string')) {
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
