import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { type Invoice, type NewInvoice, newInvoice } from './invoice.js';
import { type InvoiceChange, InvoicesService } from './invoices.service.js';

@Controller('invoices')
export class InvoicesController {
  constructor(private readonly invoices: InvoicesService) {}

  @Get()
  list(): Invoice[] {
    return this.invoices.list();
  }

  @Post()
  create(@Body({ schema: newInvoice }) wanted: NewInvoice): Promise<InvoiceChange> {
    return this.invoices.create(wanted);
  }

  @Post(':invoiceId/pay')
  @HttpCode(200)
  pay(@Param('invoiceId') invoiceId: string): Promise<InvoiceChange> {
    return this.invoices.pay(invoiceId);
  }
}
