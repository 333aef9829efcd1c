// npm run check: types, lint, format and import arrows. Prints everything that is wrong before it fails.
import { spawnSync } from 'node:child_process';
import { install, root } from './setup.mjs';

install();
const steps = [
  ['types', 'node_modules/typescript/bin/tsc', ['--noEmit']],
  ['types of the tests', 'node_modules/typescript/bin/tsc', ['--noEmit', '-p', 'test']],
  ['types of the benchmarks', 'node_modules/typescript/bin/tsc', ['--noEmit', '-p', 'bench']],
  ['types of the pages', 'node_modules/typescript/bin/tsc', ['--noEmit', '-p', 'packages/server/src/pages']],
  ['lint, format, imports', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']],
  ['generated docs', 'scripts/docs.mjs', ['--check']],
];
const failed = steps.filter(([name, script, args]) => {
  console.error(`check: ${name}`);
  return spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' }).status !== 0;
});
if (failed.length > 0) console.error(`check: failed: ${failed.map(([name]) => name).join('; ')}`);
process.exit(failed.length > 0 ? 1 : 0);
