// Builds dist/: the command line as one file, the server, its media worker, and the pages.
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'dist');

/** The npm packages that our workspaces depend on: they stay outside the server bundles. */
function npmDependencies() {
  return readdirSync(join(root, 'packages'))
    .flatMap((name) =>
      Object.keys(JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).dependencies ?? {}),
    )
    .filter((name) => !name.startsWith('@footlights/'));
}

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  absWorkingDir: root,
  sourcemap: 'linked',
  logLevel: 'warning',
};

async function buildServer() {
  await build({
    ...common,
    format: 'esm',
    outdir: out,
    outExtension: { '.js': '.mjs' },
    entryPoints: {
      server: 'packages/server/src/main.ts',
      'media-worker': 'packages/media/src/worker.ts',
      'ingest-worker': 'packages/media/src/ingest-worker.ts',
      'recorder-worker': 'packages/media/src/recorder-worker.ts',
    },
    external: npmDependencies(),
  });
}

/** What few commands need is a file beside the bundle: the others do not even read it. */
const beside = {
  name: 'beside',
  setup({ onResolve }) {
    const files = { yaml: './cli-yaml.cjs', './start-server.ts': './cli-start.cjs' };
    onResolve({ filter: /^(yaml|\.\/start-server\.ts)$/ }, ({ kind, path }) =>
      kind === 'entry-point' ? undefined : { path: files[path], external: true },
    );
  },
};

async function buildCli() {
  const cli = { ...common, format: 'cjs', minify: true };
  await build({
    ...cli,
    entryPoints: ['packages/cli/src/main.ts'],
    outfile: join(out, 'cli.cjs'),
    plugins: [beside],
    // import() would load Node's whole ES module loader: lazy parts are required instead.
    supported: { 'dynamic-import': false },
  });
  await build({ ...cli, sourcemap: false, entryPoints: ['yaml'], outfile: join(out, 'cli-yaml.cjs') });
  const start = 'packages/cli/src/start-server.ts';
  await build({ ...cli, sourcemap: false, entryPoints: [start], outfile: join(out, 'cli-start.cjs') });
}

async function buildPages() {
  const pages = join(root, 'packages/server/src/pages');
  await mkdir(join(out, 'pages'), { recursive: true });
  await build({
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    absWorkingDir: root,
    outdir: join(out, 'pages'),
    logLevel: 'warning',
    entryPoints: readdirSync(pages)
      .filter((name) => /^(publish|watch|recordings)\.ts$/.test(name))
      .map((name) => join(pages, name)),
  });
  for (const name of readdirSync(pages))
    if (/\.(html|css)$/.test(name)) await cp(join(pages, name), join(out, 'pages', name));
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await Promise.all([buildServer(), buildCli(), buildPages()]);
