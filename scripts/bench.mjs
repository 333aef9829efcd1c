// npm run bench [-- name …]: builds, then runs the benchmarks of bench/ one after the other, or the named ones.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { install, root, run } from './setup.mjs';

install();
run(process.execPath, ['scripts/build.mjs']);
const { build } = await import('esbuild');
const all = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));
/** What takes longer than all others together runs when it is named. */
const onlyByName = ['meeting-soak', 'record-reconnects', 'record-soak'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`footlights: no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}`);
  process.exit(1);
}
/** Our packages are bundled from their sources; what comes from npm stays where it is installed. */
const outside = ({ path, kind }) =>
  kind === 'entry-point' || path.startsWith('@footlights/') ? undefined : { path, external: true };
await build({
  absWorkingDir: root,
  entryPoints: all.map((name) => `bench/${name}.ts`),
  outdir: 'dist/bench',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  plugins: [{ name: 'npm-outside', setup: ({ onResolve }) => onResolve({ filter: /^[^./]/ }, outside) }],
  logLevel: 'warning',
});
for (const name of wanted.length > 0 ? wanted : all.filter((name) => !onlyByName.includes(name))) {
  console.log(`\n${name}`);
  run(process.execPath, [`dist/bench/${name}.mjs`]);
}
