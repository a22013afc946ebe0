import { ConnectionCard } from './connection-card.js';
import { byId, onSubmit } from './dom.js';

const EXAMPLE = [
  ['acme', 'phone'],
  ['acme', 'laptop'],
  ['globex', 'till'],
];

/** A reload brings the tab's connections back. A duplicated tab replaces those of the first, which is worth seeing. */
const STORAGE_KEY = 'connections';

export class ConnectionsPanel {
  #cards = new Set();
  #page;

  constructor({ feed, target }) {
    this.#page = {
      feed,
      target,
      changed: () => this.#changed(),
      remove: (card) => this.#remove(card),
    };
    onSubmit(byId('open-form'), ({ account, device }) => this.#open(account.trim(), device.trim()));
    byId('open-example').addEventListener('click', () => {
      for (const [account, device] of EXAMPLE) this.#open(account, device);
      byId('open-form').elements.account.focus();
    });
    for (const [account, device] of remembered()) this.#open(account, device);
  }

  tick() {
    for (const card of this.#cards) card.tick();
  }

  #open(account, device) {
    const card = new ConnectionCard(account, device, this.#page);
    this.#cards.add(card);
    byId('cards').append(card.element);
    this.#changed();
  }

  #remove(card) {
    card.connection.close();
    this.#cards.delete(card);
    card.element.remove();
    byId('open-form').elements.account.focus();
    this.#changed();
  }

  #changed() {
    const live = [...this.#cards]
      .map((card) => card.connection)
      .filter(({ state }) => state !== 'closed');
    byId('connections-count').textContent = live.length;
    byId('connections-empty').hidden = this.#cards.size > 0;
    sessionStorage.setItem(
      STORAGE_KEY,
      JSON.stringify(live.map(({ account, device }) => [account, device])),
    );
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '[]');
  } catch {
    return [];
  }
}
