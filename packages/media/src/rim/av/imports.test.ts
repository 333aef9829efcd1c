import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** The npm packages that `entry` loads, however far away, with what it bundles of ours. */
async function npmPackages(entry: string): Promise<Set<string>> {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    external: ['node-av', 'node-datachannel'],
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return new Set(imports.filter(({ external }) => external).map(({ path }) => path));
}

it('FFmpeg loads neither in the main process nor in a worker that forwards packets', async () => {
  const main = await npmPackages('../../index.ts');
  expect(main).not.toContain('node-datachannel');
  expect([...main].filter((path) => path.startsWith('node-av'))).toEqual([]);
  const worker = await npmPackages('../../worker.ts');
  expect(worker).toContain('node-datachannel');
  expect([...worker].filter((path) => path.startsWith('node-av'))).toEqual([]);
  expect(await npmPackages('./index.ts')).toContain('node-av/lib');
});
