import { call } from './api.js';
import { byId, el, onSubmit, showText } from './dom.js';

const euros = new Intl.NumberFormat([], { style: 'currency', currency: 'EUR' });

/** The application's own REST interface. Its pushes are seen in the feed, like anyone's. */
export class BillingPanel {
  /** What became of the last push about an invoice. */
  #pushed = new Map();

  constructor() {
    const form = byId('invoice-form');
    onSubmit(form, ({ accountId, amount }) =>
      this.#change('/invoices', { accountId, cents: Math.round(Number(amount) * 100) }),
    );
  }

  async refresh() {
    const invoices = await call('GET', '/invoices').catch(() => undefined);
    if (invoices !== undefined) this.#render(invoices);
  }

  async #change(path, body) {
    showText(byId('invoice-error'));
    try {
      const { invoice, pushed } = await call('POST', path, body);
      this.#pushed.set(
        invoice.invoiceId,
        `${invoice.status === 'paid' ? 'paid' : 'created'}, told ${pushed.delivered} of its devices`,
      );
      await this.refresh();
    } catch (error) {
      showText(byId('invoice-error'), error.message);
    }
  }

  #render(invoices) {
    byId('invoices-empty').hidden = invoices.length > 0;
    byId('invoices').replaceChildren(...invoices.map((invoice) => this.#invoice(invoice)));
  }

  #invoice({ invoiceId, accountId, cents, status }) {
    const what = el(
      'span',
      { className: 'what' },
      el('span', { textContent: `${invoiceId} · ${accountId}` }),
      el('span', { className: 'muted', textContent: this.#pushed.get(invoiceId) ?? status }),
    );
    const amount = el('span', { className: 'amount', textContent: euros.format(cents / 100) });
    return el('li', {}, what, amount, status === 'paid' ? paidMark() : this.#payButton(invoiceId));
  }

  #payButton(invoiceId) {
    const button = el('button', {
      type: 'button',
      textContent: 'Pay',
      ariaLabel: `Pay ${invoiceId}`,
    });
    button.addEventListener('click', () => this.#change(`/invoices/${invoiceId}/pay`));
    return button;
  }
}

function paidMark() {
  return el('span', { className: 'paid', textContent: 'Paid' });
}
