import { Injectable } from '@nestjs/common';
import {
  EventBus,
  LoopConnection,
  type LoopEventData,
  LoopWsException,
  OnLoopEvent,
  type PushReport,
} from 'nestjs-loopws';

/** What clients say to the chat. What a method returns is the reply; what it throws is the error of that one frame. */
@Injectable()
export class ChatHandlers {
  constructor(private readonly bus: EventBus) {}

  @OnLoopEvent('chat:room.join')
  async join(
    { room }: LoopEventData<'chat:room.join'>,
    connection: LoopConnection,
  ): Promise<{ rooms: string[] }> {
    await connection.join(room);
    return { rooms: [...connection.rooms] };
  }

  @OnLoopEvent('chat:room.leave')
  leave(
    { room }: LoopEventData<'chat:room.leave'>,
    connection: LoopConnection,
  ): { rooms: string[] } {
    connection.leave(room);
    return { rooms: [...connection.rooms] };
  }

  @OnLoopEvent('chat:message.send')
  send(
    { room, text }: LoopEventData<'chat:message.send'>,
    connection: LoopConnection,
  ): Promise<PushReport> {
    if (!connection.rooms.has(room)) {
      throw new LoopWsException('not_in_room', `Join "${room}" before you speak in it.`);
    }
    // Who speaks is what the server knows, never what the client says.
    const from = `${connection.accountId}/${connection.connectionId}`;
    return this.bus.pushToRoom(room, 'chat:message.posted', { room, text, from });
  }
}
