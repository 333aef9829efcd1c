// Builds dist/: the command line as one file, the server, its media worker, and the two pages.
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
    entryPoints: { server: 'packages/server/src/main.ts', 'media-worker': 'packages/media/src/worker.ts' },
    external: npmDependencies(),
  });
}

async function buildCli() {
  await build({
    ...common,
    format: 'cjs',
    minifySyntax: true,
    entryPoints: ['packages/cli/src/main.ts'],
    outfile: join(out, 'cli.cjs'),
    external: ['./server.mjs'],
  });
}

async function buildPages() {
  const pages = join(root, 'packages/server/src/pages');
  await mkdir(join(out, 'pages'), { recursive: true });
  await build({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    absWorkingDir: root,
    outdir: join(out, 'pages'),
    logLevel: 'warning',
    entryPoints: readdirSync(pages)
      .filter((name) => /^(publish|watch)\.ts$/.test(name))
      .map((name) => join(pages, name)),
  });
  for (const name of readdirSync(pages))
    if (/\.(html|css)$/.test(name)) await cp(join(pages, name), join(out, 'pages', name));
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await Promise.all([buildServer(), buildCli(), buildPages()]);
