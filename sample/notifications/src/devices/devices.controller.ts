import { Controller, Get, Param, Query } from '@nestjs/common';
import { EventBus } from 'nestjs-loopws';
import { z } from 'zod';

const waiting = z.object({
  timeoutMs: z.coerce.number().int().min(50).max(10_000).default(2_000),
});

@Controller('devices')
export class DevicesController {
  constructor(private readonly bus: EventBus) {}

  /** The answer is the device's own: proof that the application there is alive, not only its socket. */
  @Get(':accountId/:connectionId/status')
  async status(
    @Param('accountId') accountId: string,
    @Param('connectionId') connectionId: string,
    @Query({ schema: waiting }) { timeoutMs }: z.infer<typeof waiting>,
  ): Promise<{ answer: unknown }> {
    const answer = await this.bus.ask(
      accountId,
      connectionId,
      'device:status.get',
      {},
      { timeoutMs },
    );
    return { answer };
  }
}
