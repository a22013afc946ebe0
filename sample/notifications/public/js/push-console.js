import { ApiError, call } from './api.js';
import { byId, el, onSubmit } from './dom.js';
import { explain } from './result-text.js';

/** Payloads to start from; the server checks whatever is made of them. */
const PAYLOADS = {
  'billing:invoice.paid': { invoiceId: 'inv-42', cents: 4900 },
  'billing:invoice.created': { invoiceId: 'inv-43', cents: 1200, description: 'Subscription' },
  'billing:price.changed': { plan: 'team', cents: 1900 },
  'chat:message.posted': { room: 'lobby', text: 'Hello from the server', from: 'support' },
};

/** Whom each target reaches, and the call that does it. */
const TARGETS = {
  connection: ['One device.', 'bus.pushToConnection(account, device, event, data)'],
  account: ['Every device of one account.', 'bus.pushToAccount(account, event, data)'],
  room: ['Whoever has joined the room.', 'bus.pushToRoom(room, event, data)'],
  channel: ['Everyone with a subscription that matches.', 'bus.pushToChannel(event, data)'],
  ask: ['One device, and its answer.', "bus.ask(account, device, 'device:status.get', {}, …)"],
};

export class PushConsole {
  #form = byId('push-form');
  #fields = this.#form.elements;

  constructor() {
    this.#fields.event.append(
      ...Object.keys(PAYLOADS).map((name) => el('option', { textContent: name })),
    );
    this.#fields.event.addEventListener('change', () => this.#fillPayload());
    for (const radio of this.#fields.kind)
      radio.addEventListener('change', () => this.#showFields());
    onSubmit(this.#form, () => this.#submit());
    this.#fillPayload();
    this.#showFields();
  }

  /** Aims at one connection. */
  target({ account, device }) {
    this.#fields.kind.value = 'connection';
    this.#fields.accountId.value = account;
    this.#fields.connectionId.value = device;
    this.#showFields();
    byId('push-button').focus();
  }

  #fillPayload() {
    this.#fields.data.value = JSON.stringify(PAYLOADS[this.#fields.event.value], null, 2);
  }

  /** Fields of the other targets are disabled too: they must neither be sent nor be asked to be valid. */
  #showFields() {
    const kind = this.#fields.kind.value;
    for (const field of this.#form.querySelectorAll('[data-for]')) {
      field.hidden = !field.dataset.for.split(' ').includes(kind);
      field.querySelector('input, select, textarea').disabled = field.hidden;
    }
    const [whom, code] = TARGETS[kind];
    byId('push-hint').replaceChildren(`${whom} `, el('code', { textContent: code }));
    byId('push-button').textContent = kind === 'ask' ? 'Ask' : 'Push';
  }

  async #submit() {
    const { kind, event, data, timeoutMs, ...target } = Object.fromEntries(
      new FormData(this.#form),
    );
    if (kind === 'ask') return this.#ask(target, timeoutMs);
    let payload;
    try {
      payload = JSON.parse(data);
    } catch (error) {
      return show('not sent', {
        word: 'The payload is not JSON',
        text: error.message,
        tone: 'bad',
      });
    }
    return this.#call('POST', '/pushes', { target: { kind, ...target }, event, data: payload });
  }

  #ask({ accountId, connectionId }, timeoutMs) {
    const path = ['devices', accountId, connectionId, 'status'].map(encodeURIComponent).join('/');
    return this.#call('GET', `/${path}?timeoutMs=${timeoutMs}`);
  }

  async #call(method, path, body) {
    const button = byId('push-button');
    const startedAt = performance.now();
    const took = () => `${Math.round(performance.now() - startedAt)} ms`;
    button.disabled = true;
    try {
      const answer = await call(method, path, body);
      show(`${method} ${path} · 200 · ${took()}`, explain(answer), answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      show(
        `${method} ${path} · ${error.status || 'no answer'} · ${took()}`,
        explain(error),
        error.body,
      );
    } finally {
      button.disabled = false;
    }
  }
}

function show(callText, { word, text, tone, numbers = {} }, body) {
  byId('result').dataset.tone = tone;
  byId('result-call').textContent = callText;
  byId('result-word').textContent = word;
  byId('result-text').textContent = text;
  const entries = Object.entries(numbers);
  byId('result-numbers').hidden = entries.length === 0;
  byId('result-numbers').replaceChildren(
    ...entries.map(([name, value]) =>
      el('div', {}, el('dt', { textContent: name }), el('dd', { textContent: value })),
    ),
  );
  byId('result-json').hidden = body === undefined;
  byId('result-json').textContent = JSON.stringify(body, null, 2) ?? '';
}
