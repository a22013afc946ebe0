import { byId, el, fromTemplate, timeElement } from './dom.js';

const LONGEST = 200;

/** Everything that arrives, newest first, with the connection that it arrived on. */
export class Feed {
  #list = byId('feed');
  #filter = byId('feed-filter');
  #known = new Set();

  constructor() {
    this.#filter.addEventListener('change', () => this.#applyFilter());
    byId('feed-clear').addEventListener('click', () => {
      this.#list.replaceChildren();
      this.#applyFilter();
    });
  }

  event(from, { name, data, patterns }) {
    const line = this.#line(from, name);
    line.querySelector('.data').textContent = inline(data);
    line.querySelector('.matched').textContent = `matched by ${patterns.join(' and ')}`;
  }

  /** Something that happened to the connection itself. */
  note(from, text, state) {
    const line = this.#line(from, text);
    line.classList.add('note');
    line.dataset.state = state;
    line.querySelector('.data').remove();
    line.querySelector('.matched').remove();
  }

  #line(from, name) {
    const line = fromTemplate('event-template');
    line.dataset.from = from;
    line.querySelector('time').replaceWith(timeElement());
    line.querySelector('.from').textContent = from;
    line.querySelector('.name').textContent = name;
    this.#list.prepend(line);
    while (this.#list.children.length > LONGEST) this.#list.lastElementChild.remove();
    this.#offer(from);
    this.#applyFilter();
    return line;
  }

  #offer(from) {
    if (this.#known.has(from)) return;
    this.#known.add(from);
    this.#filter.append(el('option', { value: from, textContent: from }));
  }

  #applyFilter() {
    const wanted = this.#filter.value;
    for (const line of this.#list.children) {
      line.hidden = wanted !== '' && line.dataset.from !== wanted;
    }
    byId('feed-empty').hidden = this.#list.children.length > 0;
  }
}

/** JSON on one line that may be broken between the fields. */
function inline(data) {
  return JSON.stringify(data, null, 1)?.replaceAll(/\n\s*/g, ' ') ?? '';
}
