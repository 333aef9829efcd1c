// npm run docs: writes docs/reference from the model. With --check it writes nothing, and fails when a file is stale.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './setup.mjs';

/** The generator is TypeScript over the model's sources: bundled in memory, then imported. */
async function loadGenerator() {
  const { outputFiles } = await build({
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    absWorkingDir: root,
    entryPoints: ['scripts/docs/generate.ts'],
    write: false,
    logLevel: 'warning',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** As `npm run check` wants it; Markdown stays as it is. */
function format(path, text) {
  if (!path.endsWith('.json')) return text;
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const done = spawnSync(process.execPath, [biome, 'format', `--stdin-file-path=${path}`], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  });
  if (done.status === 0) return done.stdout;
  throw new Error(`biome does not format ${path}: ${done.stderr}`);
}

const { generate } = await loadGenerator();
const files = Object.entries(generate()).map(([path, text]) => ({ path, text: format(path, text) }));
const stale = files.filter(({ path, text }) => {
  const file = join(root, path);
  return !existsSync(file) || readFileSync(file, 'utf8') !== text;
});
if (process.argv.includes('--check')) {
  for (const { path } of stale) console.error(`${path} is stale: run "npm run docs" and commit what it writes`);
  process.exit(stale.length > 0 ? 1 : 0);
}
for (const { path, text } of stale) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(`wrote ${path}`);
}
