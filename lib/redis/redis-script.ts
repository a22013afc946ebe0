import { createHash } from 'node:crypto';

/** A Lua script that Redis runs atomically. Sent by its digest; the source follows only if Redis does not know it. */
export class RedisScript {
  readonly sha: string;

  constructor(readonly source: string) {
    this.sha = createHash('sha1').update(source).digest('hex');
  }
}
