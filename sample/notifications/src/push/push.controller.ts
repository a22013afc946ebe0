import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { type ConnectionPushResult, EventBus, type PushReport } from 'nestjs-loopws';
import { type PushRequest, pushRequest } from './push-request.js';

/** Any push, by hand. For the console of this demo: an open door like this is nothing for an application. */
@Controller('pushes')
export class PushController {
  constructor(private readonly bus: EventBus) {}

  /** Answers with what the library returned, unchanged. */
  @Post()
  @HttpCode(200)
  async push(
    @Body({ schema: pushRequest }) request: PushRequest,
  ): Promise<{ result: ConnectionPushResult | PushReport }> {
    return { result: await this.pushToTarget(request) };
  }

  private pushToTarget({
    target,
    event,
    data,
  }: PushRequest): Promise<ConnectionPushResult | PushReport> {
    switch (target.kind) {
      case 'connection':
        return this.bus.pushToConnection(target.accountId, target.connectionId, event, data);
      case 'account':
        return this.bus.pushToAccount(target.accountId, event, data);
      case 'room':
        return this.bus.pushToRoom(target.room, event, data);
      case 'channel':
        return this.bus.pushToChannel(event, data);
    }
  }
}
