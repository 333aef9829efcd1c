// What every script needs first: the npm packages of package-lock.json, and a build of the sources as they are now.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Ends the process with one line when a step that we depend on fails. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (done.error || done.status !== 0) {
    console.error(`footlights: "${[command, ...args].join(' ')}" failed${done.error ? `: ${done.error.message}` : ''}`);
    process.exit(done.status || 1);
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`footlights: Node.js 20.19 or newer is needed, this is ${process.versions.node}`);
  process.exit(1);
}

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Installs from the lock file when it is newer than what is installed. No install script runs: every binary comes inside a package. */
export function install() {
  requireNode();
  const installed = modified(join(root, 'node_modules/.package-lock.json'));
  if (installed >= modified(join(root, 'package-lock.json'))) return;
  console.error('footlights: installing npm packages …');
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : modified(path));
  }
  return time;
}

/** Builds dist/ when a source file is newer than it. */
export function build() {
  const sources = Math.max(
    newest(join(root, 'packages')),
    modified(join(root, 'scripts/build.mjs')),
    modified(join(root, 'package-lock.json')),
  );
  if (modified(join(root, 'dist/cli.cjs')) >= sources) return;
  console.error('footlights: building …');
  run(process.execPath, ['scripts/build.mjs']);
}
