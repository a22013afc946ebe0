import type { OkFrame } from '../protocol/frames.js';
import type { Ask } from './calls.js';
import { clientError, LoopClientError } from './client-errors.js';
import { timerMs, type Timer } from './timer.js';

/** A token, or a function that is asked for a fresh one at every connect and before the old one expires. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** Longest time before the expiry at which a token is renewed: enough for browsers, which slow timers of hidden tabs. */
const LONGEST_MARGIN_MS = 300_000;

/** A server that announces tokens of no lifetime must not be asked in a tight loop. */
const SHORTEST_WAIT_MS = 250;

/** As long as a whole attempt to connect may take by default: a function that hangs must not be the last attempt. */
const TOKEN_DEADLINE_MS = 10_000;

/** When to renew a token that expires in `expiresInMs`: a fifth of its lifetime before, at most five minutes. */
export function renewalWaitMs(expiresInMs: number): number {
  return Math.max(expiresInMs - Math.min(expiresInMs / 5, LONGEST_MARGIN_MS), SHORTEST_WAIT_MS);
}

/** Where tokens come from, and how an open connection's credentials are kept fresh. */
export interface Authentication {
  /** The token of the next connection. */
  readonly token: () => Promise<string | undefined>;
  readonly authenticate: (token?: string) => Promise<void>;
  /** A connection has opened. Only a token function can renew its credentials. */
  readonly connected: (expiresInMs: number | undefined) => void;
  readonly disconnected: () => void;
}

/** `refreshed` is told what the new credentials have ended, `failed` why a renewal by itself failed. */
export function createAuthentication(
  source: TokenSource | undefined,
  ask: Ask,
  refreshed: (removed: readonly string[] | undefined) => void,
  failed: (error: unknown) => void,
): Authentication {
  /** What to go back to when the server refuses a token that was tried. */
  let good = source;
  let isOpen = false;
  let timer: Timer | undefined;
  /** Grows with every schedule, so that a renewal knows whether it still belongs to the one in force. */
  let schedules = 0;

  async function token(): Promise<string | undefined> {
    return typeof source === 'function' ? source() : source;
  }

  async function use(next: string | undefined): Promise<void> {
    if (!next) {
      throw clientError(
        'bad_option',
        'There is no token: pass one, or give connect() the option "token".',
      );
    }
    // A function stays in charge: it is the one that knows newer tokens. A text is replaced before the answer: should that
    // be lost with the connection, the next one is to bring the newer token.
    const isText = typeof source !== 'function';
    if (isText) source = next;
    let answer;
    try {
      answer = (await ask({ op: 'auth', token: next })) as OkFrame;
    } catch (error) {
      const { code } = error as LoopClientError;
      // Another one that has replaced it meanwhile stays: the server has yet to decide about that.
      if ((code === 'unauthorized' || code === 'forbidden') && source === next) source = good;
      throw error;
    }
    if (isText) good = next;
    // An answer that comes after the end of its connection schedules nothing.
    if (isOpen) schedule(answer.expiresInMs);
    refreshed(answer.removed);
  }

  function startTimer(ms: number, run: () => unknown): void {
    clearTimeout(timer);
    timer = setTimeout(run, timerMs(ms));
  }

  function schedule(expiresInMs: number | undefined): void {
    const own = ++schedules;
    clearTimeout(timer);
    if (typeof source !== 'function' || expiresInMs === undefined) return;
    const expiresAt = performance.now() + expiresInMs;
    startTimer(renewalWaitMs(expiresInMs), renew);

    async function renew(): Promise<void> {
      try {
        const fresh = await freshToken();
        // The connection has ended meanwhile: the next one brings a token of its own.
        if (own === schedules) await use(fresh);
      } catch (error) {
        if (own !== schedules) return;
        failed(error);
        const restMs = expiresAt - performance.now();
        if (restMs > 0) startTimer(renewalWaitMs(restMs), renew);
      }
    }
  }

  function freshToken(): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      startTimer(TOKEN_DEADLINE_MS, () =>
        reject(
          clientError(
            'timeout',
            `The token function gave no token within ${TOKEN_DEADLINE_MS} ms.`,
          ),
        ),
      );
      token().then(resolve, reject);
    });
  }

  return {
    token,
    authenticate: async (next) => use(next ?? (await token())),
    connected(expiresInMs) {
      isOpen = true;
      schedule(expiresInMs);
    },
    disconnected() {
      isOpen = false;
      schedule(undefined);
    },
  };
}
