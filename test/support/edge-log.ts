import { Injectable } from '@nestjs/common';
import { OnAccountOffline, OnAccountOnline } from '../../lib/index.js';

/** A provider that notes the presence edges which its application reports: `+acme`, `-acme`. */
export function edgeLog(edges: string[]) {
  @Injectable()
  class Edges {
    @OnAccountOnline()
    online(accountId: string): void {
      edges.push(`+${accountId}`);
    }

    @OnAccountOffline()
    offline(accountId: string): void {
      edges.push(`-${accountId}`);
    }
  }
  return Edges;
}
