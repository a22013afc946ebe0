import type { OkFrame } from '../protocol/frames.js';
import type { Calls } from './calls.js';
import { clientError, isTemporary, type LoopClientError } from './client-errors.js';
import { type LoopStatus, openConnection } from './loop-state.js';

/** A token, or a function that is asked for a fresh one at every connect and before the old one expires. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** Where tokens come from, and how an open connection's credentials are kept fresh. */
export interface Authentication {
  /** The token of the next connection. */
  readonly token: () => Promise<string | undefined>;
  readonly authenticate: (token?: string) => Promise<void>;
  /** The credentials of the connection expire soon. Only a token function can renew them. */
  readonly renew: () => Promise<void>;
}

/** `refreshed` is told what the new credentials have ended, `failed` why a renewal by itself failed. */
export function createAuthentication(
  loop: Readonly<LoopStatus>,
  source: TokenSource | undefined,
  { ask, askNow }: Pick<Calls, 'ask' | 'askNow'>,
  refreshed: (removed: readonly string[] | undefined) => void,
  failed: (error: unknown) => void,
): Authentication {
  /** What to go back to when the server refuses a token that was tried. */
  let good = source;

  const token = async (): Promise<string | undefined> =>
    typeof source === 'function' ? source() : source;

  async function authenticate(given?: string, askServer = ask): Promise<void> {
    const next = given ?? (await token());
    if (!next) throw clientError('bad_option', 'token');
    // A function stays in charge: it knows newer tokens. A text is replaced before the answer: should that be lost with
    // the connection, the next one is to bring the newer token.
    const isText = typeof source !== 'function';
    if (isText) source = next;
    let answer: OkFrame;
    try {
      answer = (await askServer({ op: 'auth', token: next })) as OkFrame;
      if (isText) good = next;
    } catch (error) {
      // Another one that has replaced it meanwhile stays: the server has yet to decide about that.
      if (!isTemporary((error as LoopClientError).code) && source === next) source = good;
      throw error;
    }
    refreshed(answer.removed);
  }

  return {
    token,
    authenticate,
    async renew() {
      if (typeof source !== 'function') return;
      // The next connection brings a token of its own, and nobody waits for this one then.
      const connection = openConnection(loop);
      const isCurrent = (): boolean => connection === openConnection(loop);
      try {
        // Not `undefined`, which would ask the function once more.
        const fresh = (await source()) ?? '';
        if (isCurrent()) await authenticate(fresh, askNow);
      } catch (error) {
        if (isCurrent()) failed(error);
      }
    },
  };
}
