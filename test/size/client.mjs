/* What the client adds to a page that is built for production: bundled, minified and compressed as web servers do. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** In bytes. */
const LIMIT = 7_150;

const { outputFiles } = await build({
  stdin: {
    contents: "export { connect } from 'nestjs-loopws/client';",
    resolveDir: process.cwd(),
  },
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  conditions: ['production'],
  write: false,
});
const [{ contents }] = outputFiles;
const size = gzipSync(contents, { level: 9 }).length;
console.log(`The client has ${size} bytes gzipped, of ${LIMIT} at most.`);
process.exit(size > LIMIT ? 1 : 0);
