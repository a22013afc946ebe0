import { Injectable } from '@nestjs/common';
import { SERVER_ID, SERVERS } from '../cluster/servers.js';
import type { Invoice, NewInvoice } from './invoice.js';

/** Each server has a store of its own, and no two may number alike: the number makes a push idempotent in the cluster. */
const PREFIX = SERVERS.length > 0 ? `${SERVER_ID}-inv` : 'inv';

/** Stands for your database. */
@Injectable()
export class InvoicesStore {
  private readonly invoices = new Map<string, Invoice>();

  add(invoice: NewInvoice): Invoice {
    const invoiceId = `${PREFIX}-${this.invoices.size + 1}`;
    return this.save({ ...invoice, invoiceId, status: 'open' });
  }

  save(invoice: Invoice): Invoice {
    this.invoices.set(invoice.invoiceId, invoice);
    return invoice;
  }

  find(invoiceId: string): Invoice | undefined {
    return this.invoices.get(invoiceId);
  }

  newestFirst(): Invoice[] {
    return [...this.invoices.values()].toReversed();
  }
}
