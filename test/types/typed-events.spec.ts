import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { checkFixtures } from './type-fixtures.js';

const fixtures = join(import.meta.dirname, 'fixtures');

describe.each([
  ['declared', 'events declared by merging'],
  ['undeclared', 'no event declared'],
  ['schemas', 'events inferred from schemas'],
  ['client-only', 'events declared in a package that has the client alone'],
])('fixtures/%s: %s', (folder) => {
  it.each(checkFixtures(join(fixtures, folder)))(
    '$file has the announced compile errors and no others',
    ({ unexpected, missing }) => {
      expect({ unexpected, missing }).toEqual({ unexpected: [], missing: [] });
    },
  );
});
