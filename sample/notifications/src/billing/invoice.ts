import { z } from 'zod';
import { accountId } from '../events.js';

export const newInvoice = z.object({
  accountId,
  cents: z.int().positive().max(100_000_000),
  description: z.string().trim().min(1).max(200).default('Subscription'),
});

export type NewInvoice = z.infer<typeof newInvoice>;

export interface Invoice extends NewInvoice {
  readonly invoiceId: string;
  readonly status: 'open' | 'paid';
}
