import { connect } from '/loopws/client/index.js';
import { byId, showText } from './dom.js';
import { onServer, socketUrl } from './servers.js';
import { lossText, waitText } from './state-text.js';

/** The page's own account: one that may hear of presence, and of nothing else; see `demo-login.ts`. */
const ACCOUNT = 'watcher';

const LABELS = {
  connecting: 'Connecting',
  open: 'Live',
  waiting: 'Not connected',
  closed: 'Closed',
};

/** The page's own connection: it hears of presence, and its state is the state of the server. */
export class PageConnection {
  device = `page-${crypto.getRandomValues(new Uint16Array(1))[0].toString(16)}`;
  #change = { state: 'connecting', attempt: 0 };
  #retryAt = 0;

  /** Calls back with each presence event, and when the server came or went. */
  open({ presence, opened, lost }) {
    const client = connect(socketUrl, {
      token: ACCOUNT,
      connectionId: this.device,
      backoff: { capMs: 4_000 },
    });
    client.on('presence:*', (data, { name }) => presence(name, data));
    client.onState((state, change) => {
      this.#change = change;
      if (state === 'waiting') this.#retryAt = performance.now() + change.nextAttemptMs;
      // Only after the subscriptions stand: what happens from here on is heard.
      if (state === 'open') void client.ready().then(opened, () => {});
      if (state === 'waiting') lost();
      this.#render();
    });
  }

  get isOpen() {
    return this.#change.state === 'open';
  }

  tick() {
    showText(byId('server-countdown'), waitText(this.#change, this.#retryAt));
  }

  #render() {
    const { state, code, reason } = this.#change;
    byId('server').dataset.state = state;
    showText(byId('server-state'), state === 'closed' ? lossText(code, reason) : LABELS[state]);
    showText(byId('server-name'), state === 'open' ? onServer(this.#change.welcome.serverId) : '');
    if (state !== 'connecting') byId('away').hidden = state === 'open';
    this.tick();
  }
}
