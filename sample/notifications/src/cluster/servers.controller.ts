import { Controller, Get } from '@nestjs/common';
import { SERVERS } from './servers.js';

/** Tells the page where else it may go. In production a load balancer stands there instead. */
@Controller('servers')
export class ServersController {
  @Get()
  servers(): readonly string[] {
    return SERVERS;
  }
}
