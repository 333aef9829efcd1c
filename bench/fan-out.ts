// One publisher, many subscribers, the whole path of a media worker: CPU for each forwarded packet, what arrives and how
// late, memory of a subscriber. The clients run in other processes, over real DTLS-SRTP on loopback.
// Run: npm run bench -- fan-out; FOOTLIGHTS_FAN_OUT=100x1000 measures one case alone, or several with commas between. FOOTLIGHTS_BENCH_REALTIME=1 (as root)
// gives the server precedence over the clients for a core: its loop's delay is its own then, and the clients are late.
import { FootlightsFanOut, fanOutRow, fanOutTable, runFanOut } from './support/fan-out.ts';
import { benchmark } from './support/peers.ts';

const cases = (process.env.FOOTLIGHTS_FAN_OUT ?? '50x300,100x300,500x300,1000x300,50x1000,100x1000,500x1000,1000x1000')
  .split(',')
  .map((text) => text.split('x').map(Number));

async function measure(): Promise<void> {
  const table = fanOutTable();
  for (const [viewers = 0, packetsPerSecond = 0] of cases) {
    const server = await FootlightsFanOut.start();
    table.print(fanOutRow('footlights', await runFanOut(server, { viewers, packetsPerSecond })));
  }
}

await benchmark(measure);
