import { DeviceConnection } from './device-connection.js';
import { el, fromTemplate, onSubmit, showText } from './dom.js';
import { onServer } from './servers.js';
import { endReason, lossText, stateLabel, waitText } from './state-text.js';

/** One connection on the page: shows what it is and does, and takes what its user wants of it. */
export class ConnectionCard {
  element = fromTemplate('card-template');
  #page;

  /** `page` is what a card needs of the rest: `feed`, `changed()`, `target(connection)` and `remove(card)`. */
  constructor(account, device, page) {
    this.#page = page;
    this.connection = new DeviceConnection(account, device, {
      changed: () => this.#render(),
      stateChanged: (before) => this.#stateChanged(before),
      received: (event) => page.feed.event(this.connection.label, event),
      denied: ({ pattern, code, message }) =>
        showText(this.#part('pattern-error'), `${pattern}: ${message} (${code})`),
      problem: (message) => page.feed.note(this.connection.label, message, 'closed'),
    });
    this.element.setAttribute('aria-label', this.connection.label);
    this.#part('account').textContent = account;
    this.#part('device').textContent = device;
    this.#bind();
    this.connection.open();
  }

  /** Moves the countdown on. */
  tick() {
    const { change, retryAt } = this.connection;
    showText(this.#part('countdown'), waitText(change, retryAt));
  }

  #bind() {
    const { connection } = this;
    this.#action('target').addEventListener('click', () => this.#page.target(connection));
    this.#action('close').addEventListener('click', () => {
      connection.close();
      this.#action('reopen').focus();
    });
    this.#action('reopen').addEventListener('click', () => {
      connection.open();
      this.#action('close').focus();
    });
    this.#action('remove').addEventListener('click', () => this.#page.remove(this));
    this.#part('mood').addEventListener('change', ({ target }) => {
      connection.mood = target.value;
    });
    onSubmit(this.#form('pattern'), ({ pattern }) => this.#subscribe(pattern.trim()));
    onSubmit(this.#form('room'), ({ room }) =>
      this.#inRoom('room', async () => {
        await connection.join(room.trim());
        this.#form('room').reset();
      }),
    );
    onSubmit(this.#form('message'), ({ room, text }) =>
      this.#inRoom('message', async () => {
        await connection.say(room, text);
        this.#form('message').elements.text.value = '';
      }),
    );
  }

  #subscribe(pattern) {
    showText(this.#part('pattern-error'));
    try {
      this.connection.subscribe(pattern);
      this.#form('pattern').reset();
    } catch (error) {
      showText(this.#part('pattern-error'), error.message);
    }
  }

  /** Waits for the server's reply and shows what it refused. */
  async #inRoom(form, request) {
    const button = this.#form(form).querySelector('button');
    showText(this.#part('room-error'));
    button.disabled = true;
    try {
      await request();
    } catch (error) {
      showText(this.#part('room-error'), roomError(error));
    } finally {
      button.disabled = false;
    }
  }

  #stateChanged(before) {
    const { change, label } = this.connection;
    if (change.state === 'open') this.#page.feed.note(label, 'open', 'open');
    if (change.state === 'waiting' && before.state === 'open') {
      this.#page.feed.note(label, `waiting: ${lossText(change.code, change.reason)}`, 'waiting');
    }
    if (change.state === 'closed') {
      this.#page.feed.note(label, `closed: ${endReason(change)}`, 'closed');
    }
    this.#render();
    this.#page.changed();
  }

  #render() {
    const { change, patterns, rooms, server } = this.connection;
    const closed = change.state === 'closed';
    this.element.dataset.state = change.state;
    showText(this.#part('state'), stateLabel(change));
    showText(this.#part('reason'), endReason(change));
    showText(this.#part('server'), server && onServer(server));
    this.element.querySelector('.card-body').hidden = closed;
    this.#action('target').hidden = closed;
    this.#action('close').hidden = closed;
    this.#action('reopen').hidden = !closed;
    this.#action('remove').hidden = !closed;
    this.#renderChips(
      'patterns',
      patterns.map((pattern) => this.#patternChip(pattern)),
    );
    this.#renderChips(
      'rooms',
      [...rooms].map((room) => this.#roomChip(room)),
    );
    this.#form('message').hidden = rooms.size === 0;
    this.tick();
  }

  /** Leaves them alone when nothing changed, so that a chip keeps the focus. */
  #renderChips(part, chips) {
    const list = this.#part(part);
    const texts = chips.map(({ textContent }) => textContent);
    if (texts.join() === Array.from(list.children, ({ textContent }) => textContent).join()) return;
    list.replaceChildren(...chips);
    if (part === 'rooms') this.#offerRooms();
  }

  #offerRooms() {
    const select = this.#form('message').elements.room;
    const before = select.value;
    select.replaceChildren(
      ...[...this.connection.rooms].map((room) => el('option', { textContent: room })),
    );
    if (this.connection.rooms.has(before)) select.value = before;
  }

  #patternChip({ pattern, given, answers }) {
    if (given) return chip(pattern, 'by default', undefined);
    return chip(pattern, answers ? 'answers' : '', {
      label: `Unsubscribe ${pattern}`,
      remove: () => {
        this.connection.unsubscribe(pattern);
        this.#form('pattern').elements.pattern.focus();
      },
    });
  }

  #roomChip(room) {
    return chip(room, '', {
      label: `Leave ${room}`,
      remove: () => {
        this.#form('room').elements.room.focus();
        void this.#inRoom('room', () => this.connection.leave(room));
      },
    });
  }

  #part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  #action(name) {
    return this.element.querySelector(`[data-action="${name}"]`);
  }

  #form(name) {
    return this.element.querySelector(`[data-form="${name}"]`);
  }
}

function chip(text, note, removal) {
  const parts = [el('span', { textContent: text })];
  if (note !== '') parts.push(el('span', { className: 'note', textContent: note }));
  if (removal !== undefined) {
    const button = el('button', {
      type: 'button',
      ariaLabel: removal.label,
      title: removal.label,
      textContent: '×',
    });
    button.addEventListener('click', removal.remove);
    parts.push(button);
  }
  return el('li', { className: removal === undefined ? 'chip given' : 'chip' }, ...parts);
}

/** A payload that does not fit its schema brings one complaint per field. */
function roomError({ code, message, details }) {
  const complaints = Array.isArray(details)
    ? details.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    : [message];
  return `${complaints.join(', ')} (${code})`;
}
