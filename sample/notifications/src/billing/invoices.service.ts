import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { EventBus, type PushReport } from 'nestjs-loopws';
import type { Invoice, NewInvoice } from './invoice.js';
import { InvoicesStore } from './invoices.store.js';

/** An invoice, and what became of the event about it. */
export interface InvoiceChange {
  readonly invoice: Invoice;
  readonly pushed: PushReport;
}

/** Stores first and pushes after: who receives the event can already read the change. */
@Injectable()
export class InvoicesService {
  constructor(
    private readonly store: InvoicesStore,
    private readonly bus: EventBus,
  ) {}

  list(): Invoice[] {
    return this.store.newestFirst();
  }

  async create(wanted: NewInvoice): Promise<InvoiceChange> {
    const invoice = this.store.add(wanted);
    const { accountId, invoiceId, cents, description } = invoice;
    const pushed = await this.bus.pushToAccount(accountId, 'billing:invoice.created', {
      invoiceId,
      cents,
      description,
    });
    return { invoice, pushed };
  }

  async pay(invoiceId: string): Promise<InvoiceChange> {
    const open = this.store.find(invoiceId);
    if (open === undefined) throw new NotFoundException(`There is no invoice "${invoiceId}".`);
    if (open.status === 'paid') throw new ConflictException(`"${invoiceId}" is paid already.`);
    const invoice = this.store.save({ ...open, status: 'paid' });
    const { accountId, cents } = invoice;
    // The id makes the push idempotent: a repetition for this invoice would reach nobody twice.
    const pushed = await this.bus.pushToAccount(
      accountId,
      'billing:invoice.paid',
      { invoiceId, cents },
      { id: `${invoiceId}:paid` },
    );
    return { invoice, pushed };
  }
}
