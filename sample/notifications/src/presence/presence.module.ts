import { Module } from '@nestjs/common';
import { PresenceAnnouncer } from './presence.announcer.js';
import { PresenceController } from './presence.controller.js';

@Module({
  controllers: [PresenceController],
  providers: [PresenceAnnouncer],
})
export class PresenceModule {}
