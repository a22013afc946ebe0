import type { EventFrame, ServerFrame } from '../protocol/frames.js';
import { patternsMatching } from '../protocol/pattern.js';
import { socketAddress } from './address.js';
import { createAnswers } from './answers.js';
import { createAuthentication } from './authentication.js';
import { createCalls } from './calls.js';
import { clientError, clientErrorWith, failure, LoopClientError } from './client-errors.js';
import { clientSettings, type LoopClientOptions, type UrlSource } from './client-options.js';
import { createEmitter } from './emitter.js';
import type { UntypedHandler } from './event-handlers.js';
import { checkForm } from './frame-text.js';
import { createLink } from './link.js';
import type { LoopClient } from './loop-client.js';
import type { LoopState, LoopStateChange, LoopStatus } from './loop-state.js';
import { createPositions, type Latest, type LoopReset, serviceTopic } from './positions.js';
import { createSubscriptions } from './subscriptions.js';

/** What an application can listen to, in addition to events. */
type Hooks = {
  state: [state: LoopState, change: LoopStateChange];
  error: [error: LoopClientError];
  reset: [reset: LoopReset];
};

/**
 * Connects to a `nestjs-loopws` server and stays connected: after every close but a final one (45xx) it tries again, so
 * there is nothing to await.
 *
 * @param url the server's address, e.g. `wss://app.example/ws`; in a browser a path such as `/ws` will do. A function is
 *   called at every attempt: without a load balancer in front of several servers, it can name a different one each time
 * @throws LoopClientError `bad_option` or `no_web_socket`
 *
 * @example
 * const loop = connect('wss://app.example/ws', { token: () => fetchToken() });
 * loop.on('billing:*', (data, event) => console.log(event.name, data));
 * const reply = await loop.request('chat:message.send', { text: 'Hello' });
 */
export function connect(url: UrlSource, options: LoopClientOptions = {}): LoopClient {
  const settings = clientSettings(options);
  // A fixed address is checked now, the result of a function at each attempt.
  if (typeof url === 'string') socketAddress(url, '');
  const loop: LoopStatus = { state: 'connecting', welcome: undefined };

  const hooks = createEmitter<Hooks>((thrown, hook) => {
    // An `onError` listener that throws is not told of its own failure, or it would throw forever.
    if (hook === 'error') console.error(thrown);
    else handlerFailed(thrown);
  });
  const handlers = createEmitter<Record<string, [...Parameters<UntypedHandler>, isNew: boolean]>>(
    handlerFailed,
    (pattern) => subscriptions.change(pattern),
  );
  const positions = createPositions(settings, (topic) => subscriptions.cover(topic), lost, report);
  const link = createLink(loop, url, settings, {
    token: () => authentication.token(),
    resume: positions.any,
    onState: changed,
    onFrame: received,
    onError: report,
  });
  const calls = createCalls(loop, settings, link, report);
  const subscriptions = createSubscriptions(
    loop,
    settings,
    handlers.listeners,
    positions,
    calls.askNow,
    report,
  );
  const authentication = createAuthentication(
    loop,
    settings.token,
    calls,
    subscriptions.refresh,
    handlerFailed,
  );
  const answers = createAnswers(loop, calls.sendNow, (name) => handlers.on(name, () => {}), report);

  /** The one place for problems that no call of the application waits for. */
  function report(error: LoopClientError): void {
    if (!hooks.emit('error', error)) console.error(error);
  }

  function handlerFailed(thrown: unknown): void {
    report(thrown instanceof LoopClientError ? thrown : failure('handler_failed', thrown));
  }

  function lost(reset: LoopReset): void {
    if (hooks.emit('reset', reset)) return;
    report(clientErrorWith({ details: reset }, 'history_lost', reset.topic));
  }

  function changed(change: LoopStateChange): void {
    if (change.state === 'open') {
      const { welcome } = change;
      positions.open(welcome);
      // Before the frames that wait: their effects may be events that we want.
      subscriptions.open(welcome);
      calls.flush();
    } else {
      subscriptions.close();
      calls.close();
    }
    // The calls above may have changed the state again, and that change was then already reported.
    if (loop.state === change.state) hooks.emit('state', change.state, change);
  }

  function received(frame: ServerFrame): void {
    switch (frame.op) {
      case undefined:
        return positions.pass(frame, (isNew) => receivedEvent(frame, isNew));
      case 'reset':
        positions.decided(frame.topics);
        return subscriptions.step();
      case 'positions':
        return positions.reached(frame.topics);
      case 'expiring':
        return void authentication.renew();
      case 'reconnect':
        return link.reconnect(frame.afterMs);
      case 'ok':
        positions.reached(frame.positions);
        if (frame.resumed ?? frame.reset) positions.decided(frame.reset, frame.resumed);
        return calls.answered(frame);
      case 'error':
      case 'reply':
      case 'pong':
        return calls.answered(frame);
    }
  }

  function receivedEvent(frame: EventFrame, isNew: boolean): void {
    const { event: name, data, ask } = frame;
    checkForm(name);
    for (const pattern of patternsMatching(name)) {
      handlers.emit(pattern, data, { name, data }, isNew);
    }
    if (ask !== undefined) void answers.reply(frame);
  }

  void link.start();
  return Object.assign<LoopStatus, Omit<LoopClient, keyof LoopStatus>>(loop, {
    on(pattern, handler, { latest = false } = {}) {
      checkForm(pattern, 'bad_pattern');
      if (latest && pattern.startsWith('*')) {
        throw clientError('bad_pattern', pattern, 'latest');
      }
      const own: Latest = { topic: serviceTopic(pattern), is: latest ? 'wanted' : undefined };
      const off = handlers.on(pattern, (data, event, isNew) => {
        if (isNew || own.is) return (handler as UntypedHandler)(data, event);
      });
      if (latest) {
        positions.latest.add(own);
        queueMicrotask(subscriptions.step);
      }
      return () => {
        positions.latest.delete(own);
        off();
      };
    },
    send(name, data) {
      subscriptions.flush();
      calls.send(name, data);
    },
    async request(name, data, { timeoutMs } = {}) {
      subscriptions.flush();
      return ((await calls.ask({ event: name, data }, timeoutMs)) as { data?: unknown }).data;
    },
    answer: answers.add as LoopClient['answer'],
    onState: (listener) => hooks.on('state', listener),
    onError: (listener) => hooks.on('error', listener),
    onReset: (reload) => hooks.on('reset', reload),
    ready: subscriptions.ready,
    async ping() {
      const startedAt = performance.now();
      await calls.askNow({ op: 'ping' });
      return performance.now() - startedAt;
    },
    authenticate: authentication.authenticate,
    close: link.close,
  });
}
