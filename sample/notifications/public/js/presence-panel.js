import { call } from './api.js';
import { byId, el, timeElement } from './dom.js';
import { onServer } from './servers.js';

const EDGES_SHOWN = 5;

/** Who is online. An event says that something has changed; the truth is read anew from the server. */
export class PresencePanel {
  #reads = 0;
  #ownDevice;

  constructor(ownDevice) {
    this.#ownDevice = ownDevice;
  }

  edge(accountId, online) {
    const text = online ? ' came online' : ' went offline';
    const line = el(
      'li',
      {},
      el('span', {}, el('strong', { textContent: accountId }), text),
      timeElement(),
    );
    byId('edges').prepend(line);
    while (byId('edges').children.length > EDGES_SHOWN) byId('edges').lastElementChild.remove();
  }

  /** Of several reads under way the last one counts. */
  async refresh() {
    const read = ++this.#reads;
    // No answer means that the server is away: the next welcome asks again.
    const online = await call('GET', '/presence').catch(() => undefined);
    if (online !== undefined && read === this.#reads) this.#render(online.accounts);
  }

  /** While the server is away nobody can tell. */
  unknown() {
    this.#reads++;
    this.#render([]);
    byId('online-count').textContent = '?';
    byId('online-empty').firstElementChild.textContent = 'Not known while the server is away.';
  }

  #render(accounts) {
    byId('online-count').textContent = accounts.length;
    byId('online-empty').hidden = accounts.length > 0;
    byId('online').replaceChildren(...accounts.map((account) => this.#account(account)));
    suggest('known-accounts', [
      'acme',
      'globex',
      'ops',
      ...accounts.map(({ accountId }) => accountId),
    ]);
    suggest('known-devices', [
      ...['phone', 'laptop', 'till'],
      ...accounts.flatMap(({ connections }) => connections.map(({ connectionId }) => connectionId)),
    ]);
  }

  #account({ accountId, connections }) {
    const devices = connections.map(({ connectionId, serverId }) => {
      const device =
        connectionId === this.#ownDevice ? `${connectionId} (this page)` : connectionId;
      return `${device} ${onServer(serverId)}`.trim();
    });
    return el(
      'li',
      {},
      el('strong', { textContent: accountId }),
      el('span', { className: 'devices', textContent: devices.join(', ') }),
    );
  }
}

/** Leaves the list alone when nothing changed: one that is open would close. */
function suggest(id, texts) {
  const wanted = [...new Set(texts)];
  const shown = Array.from(byId(id).children, ({ value }) => value);
  if (wanted.join() === shown.join()) return;
  byId(id).replaceChildren(...wanted.map((text) => el('option', { value: text })));
}
