import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The code block of README.md that follows the marker `<!-- quick-start:<name> -->`, so that what the smoke test
 * compiles and runs is what a reader copies.
 */
export function quickStart(root, name) {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = new RegExp(`<!-- quick-start:${name} -->\\s*\`\`\`ts\\n(.*?)\`\`\``, 's').exec(
    readme,
  );
  if (block === null) {
    throw new Error(
      `README.md has no \`\`\`ts block after the marker <!-- quick-start:${name} -->.`,
    );
  }
  return block[1];
}
