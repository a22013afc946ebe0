import { Injectable } from '@nestjs/common';
import type { Invoice, NewInvoice } from './invoice.js';

/** Stands for your database. */
@Injectable()
export class InvoicesStore {
  private readonly invoices = new Map<string, Invoice>();

  add(invoice: NewInvoice): Invoice {
    const invoiceId = `inv-${this.invoices.size + 1}`;
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
