// node scripts/record-cli-cases.mjs [--new] [file …]: records the results of test/cli-cases from Debian's awscli 2.9.19.
// With --new only those that have none. CONTRIBUTING.md says what it needs.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './setup.mjs';

const command = ['/usr/bin/aws'];
const folder = join(root, 'test/cli-cases');

async function loadRunner() {
  const outfile = join(root, 'dist/record-cli-cases.mjs');
  await build({
    bundle: true,
    platform: 'node',
    format: 'esm',
    absWorkingDir: root,
    entryPoints: ['test/support/cli-cases.ts'],
    outfile,
    logLevel: 'warning',
  });
  return import(outfile);
}

/** The AWS CLI finds the service's model in the home folder: each case gets it there. */
function withModel(files) {
  const model = join(process.env.HOME, '.aws/models/ivs-realtime/2020-07-14');
  const entries = ['service-2.json', 'paginators-1.json'].map((name) => [
    `~/.aws/models/ivs-realtime/2020-07-14/${name}`,
    readFileSync(join(model, name), 'utf8'),
  ]);
  return { ...Object.fromEntries(entries), ...files };
}

const { runCase } = await loadRunner();
const onlyNew = process.argv.includes('--new');
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
for (const file of readdirSync(folder)) {
  if (wanted.length > 0 && !wanted.includes(basename(file, '.json'))) continue;
  const cases = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  for (const one of cases) {
    if (onlyNew && one.result) continue;
    one.result = await runCase(command, { ...one, files: withModel(one.files) });
  }
  writeFileSync(join(folder, file), `${JSON.stringify(cases, undefined, 2)}\n`);
  console.log(`${file}: ${cases.length} cases`);
}
