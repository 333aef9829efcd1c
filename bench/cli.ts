// Wall time of commands from the shell's view, one after the other, against a loopback stub; beside the AWS CLI when it is
// installed with the service's model (CONTRIBUTING.md says how).

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

const arn = 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh';
const rounds = 20;
const ours = [process.execPath, 'bin/footlights'];
const aws = ['/usr/bin/aws'];
const model = join(homedir(), '.aws/models/ivs-realtime/2020-07-14/service-2.json');

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ stage: { arn, name: 'demo' } }));
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const getStage = ['ivs-realtime', 'get-stage', '--arn', arn, '--endpoint-url', url, '--region', 'us-west-2'];

const env = { ...process.env, AWS_ACCESS_KEY_ID: 'AKIDBENCHMARK0000', AWS_SECRET_ACCESS_KEY: 'secret' };

/** Milliseconds that a command takes. */
function run([program = '', ...args]: readonly string[]): Promise<number> {
  const began = process.hrtime.bigint();
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Number(process.hrtime.bigint() - began) / 1e6);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}`));
    });
  });
}

async function measure(command: readonly string[]): Promise<{ median: number; best: number }> {
  await run(command);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await run(command));
  times.sort((a, b) => a - b);
  return { median: times[rounds / 2]!, best: times[0]! };
}

const commands: [string, readonly string[]][] = [
  ['node -e 1', [process.execPath, '-e', '1']],
  ['footlights --version', [...ours, '--version']],
  ['footlights ivs-realtime get-stage', [...ours, ...getStage]],
  [
    'footlights … --query stage.name --output text',
    [...ours, ...getStage, '--query', 'stage.name', '--output', 'text'],
  ],
];
const withAws = existsSync(aws[0]!) && existsSync(model);
if (withAws) commands.push(['aws ivs-realtime get-stage', [...aws, ...getStage]]);

console.log(`${'ms'.padEnd(48)}${'median'.padStart(8)}${'best'.padStart(8)}`);
const medians = new Map<string, number>();
for (const [name, command] of commands) {
  const { median, best } = await measure(command);
  medians.set(name, median);
  console.log(`${name.padEnd(48)}${median.toFixed(0).padStart(8)}${best.toFixed(0).padStart(8)}`);
}
if (withAws) {
  const version = spawnSync(aws[0]!, ['--version'], { encoding: 'utf8' }).stdout.split(' ')[0];
  const ratio = medians.get('aws ivs-realtime get-stage')! / medians.get('footlights ivs-realtime get-stage')!;
  console.log(`${version} takes ${ratio.toFixed(1)} times as long`);
} else {
  console.log('the AWS CLI with the service model is not installed: nothing to compare with');
}
server.close();
server.closeAllConnections();
