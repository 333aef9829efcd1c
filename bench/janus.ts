// The fan-out beside Janus's: runs of both alternate, with the same packets and the same clients. Janus is Debian's
// package; its streaming plugin takes the packets as plain RTP, where ours come over SRTP. Both run in a network namespace
// of the benchmark's own, because Janus gathers no candidates at loopback addresses.
// Run (as root): npm run bench -- janus; FOOTLIGHTS_JANUS=50x300 measures one case alone, or several with commas between.
import { spawnSync } from 'node:child_process';
import { type FanOutCase, FootlightsFanOut, fanOutRow, fanOutTable, runFanOut } from './support/fan-out.ts';
import { isInstalled, Janus } from './support/janus.ts';
import { benchmark } from './support/peers.ts';

const cases = (process.env.FOOTLIGHTS_JANUS ?? '50x300,100x300,50x1000').split(',').map((text): FanOutCase => {
  const [viewers = 0, packetsPerSecond = 0] = text.split('x').map(Number);
  return { viewers, packetsPerSecond };
});
const rounds = 3;
const address = '192.0.2.1';
const inNamespace = 'FOOTLIGHTS_BENCH_NAMESPACE';

/** A pair of virtual interfaces, one of them with the address; packets to it stay in this machine's loopback. */
const namespace = `
  ip link set lo up
  ip link add media0 type veth peer name media1
  ip address add ${address}/24 dev media0
  ip link set media0 up
  ip link set media1 up
  exec "$@"`;

const servers = {
  footlights: () => FootlightsFanOut.start(address),
  janus: () => Janus.start({ address }),
  'janus 2 loops': () => Janus.start({ address, eventLoops: 2 }),
};

async function measure(): Promise<void> {
  const table = fanOutTable();
  for (const fanOut of cases) {
    for (let round = 0; round < rounds; round++) {
      for (const [name, start] of Object.entries(servers))
        table.print(fanOutRow(name, await runFanOut(await start(), fanOut)));
    }
  }
}

async function enter(): Promise<void> {
  if (process.env[inNamespace]) return measure();
  if (!isInstalled())
    return console.log('Janus is not installed: apt-get install janus (Debian), without starting its service');
  if (process.getuid?.() !== 0) return console.log('needs root, for a network namespace of its own');
  const command = ['--net', 'sh', '-ec', namespace, 'sh', process.execPath, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', command, { stdio: 'inherit', env: { ...process.env, [inNamespace]: '1' } });
  process.exitCode = status ?? 1;
}

await benchmark(enter);
