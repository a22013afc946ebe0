import type { LoopApp } from './loop-app.js';

/** For the end of a hostile test: whether a newcomer is served as if nothing had happened. */
export async function isServing(app: LoopApp): Promise<boolean> {
  const newcomer = await app.client('newcomer');
  const { op } = await newcomer.ask({ op: 'ping' });
  await newcomer.close();
  return op === 'pong';
}
