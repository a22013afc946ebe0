import { Module } from '@nestjs/common';
import { InvoicesController } from './invoices.controller.js';
import { InvoicesService } from './invoices.service.js';
import { InvoicesStore } from './invoices.store.js';

@Module({
  controllers: [InvoicesController],
  providers: [InvoicesService, InvoicesStore],
})
export class BillingModule {}
