import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';

/** Found by the package's name and not by a path, so it does not matter where the sample is started from. */
const CLIENT = import.meta.resolve('nestjs-loopws/client');

/** The page, and the client as it is published: plain ES modules, no bundler between it and the browser. */
export function servePage(app: NestExpressApplication): void {
  app.useStaticAssets(folder('../../public/', import.meta.url));
  app.useStaticAssets(folder('./', CLIENT), { prefix: '/loopws/client' });
  app.useStaticAssets(folder('../protocol/', CLIENT), { prefix: '/loopws/protocol' });
}

function folder(path: string, base: string): string {
  return fileURLToPath(new URL(path, base));
}
