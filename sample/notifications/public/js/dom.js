/** The few things about the DOM that every part of the page needs. Text only ever enters as text, never as HTML. */

export const byId = (id) => document.getElementById(id);

/** Makes an element: `el('li', { className: 'chip' }, 'text', child)`. */
export function el(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** Shows the text, or hides the element when there is none. */
export function showText(element, text = '') {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === '';
}

export function timeElement(date = new Date()) {
  return el('time', {
    dateTime: date.toISOString(),
    textContent: date.toLocaleTimeString([], { hour12: false }),
  });
}

/** Calls back with the form's fields instead of leaving the page. */
export function onSubmit(form, callback) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void callback(Object.fromEntries(new FormData(form)));
  });
}
