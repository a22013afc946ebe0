/** Jest in ESM mode: the library is ESM, and so is NestJS 12. */
export default {
  testEnvironment: 'node',
  // Each wait inside a test has a deadline of its own, which says what did not happen; this one only says which test.
  testTimeout: 20_000,
  // Modules in a context of their own are never given back, and a process that has run many files stops for seconds to
  // collect. So there is a worker, although it is alone, and a new one when it has grown.
  maxWorkers: 1,
  workerIdleMemoryLimit: '600MB',
  testRegex: 'test/(unit|contract|e2e|faults|types)/.*\\.spec\\.ts$',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: false,
          },
          target: 'es2022',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  collectCoverageFrom: ['lib/**/*.ts', '!lib/**/index.ts'],
};
