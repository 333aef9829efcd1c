// npm start: installs what is missing, builds what is stale, runs the server.
import { spawn } from 'node:child_process';
import { build, install, root } from './setup.mjs';

install();
build();
const server = spawn(process.execPath, ['bin/footlights', 'start', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
server.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
