// npm test: installs what the tests need, builds, runs every test.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { build, install, root, run } from './setup.mjs';

/** Debian packages that the system tests drive, each with the file that shows that it is there. */
const debian = {
  chromium: '/usr/bin/chromium',
  ffmpeg: '/usr/bin/ffmpeg',
  tmux: '/usr/bin/tmux',
  less: '/usr/bin/less',
  faketime: '/usr/bin/faketime',
  iproute2: '/sbin/ip',
  'python3-aiortc': '/usr/lib/python3/dist-packages/aiortc/__init__.py',
};

/** Installs the missing ones where we may; elsewhere the tests that need them fail and say so. */
function installDebianPackages() {
  const missing = Object.keys(debian).filter((name) => !existsSync(debian[name]));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.error(
      `footlights: the tests need ${missing.join(', ')}; install them, on Debian with: sudo apt-get install ${missing.join(' ')}`,
    );
    return;
  }
  console.error(`footlights: installing ${missing.join(', ')} …`);
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], quiet);
}

install();
installDebianPackages();
build();
const done = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(done.status ?? 1);
