// GetStage through SigV4 and SQLite: how many a second one core answers, and how fast at half of the target.
// Run: npm run bench -- get-stage.
import { readFileSync } from 'node:fs';
import { benchmark, Load, type Phase, type Result, Server } from './support/load.ts';

const stages = 100;
const connections = 32;
const target = 4_000;
const phases: readonly Phase[] = [
  { name: 'warm-up', seconds: 1.5 },
  { name: 'as fast as it can', seconds: 4 },
  { name: `at ${target / 2} a second`, seconds: 3, rate: target / 2 },
];

/** Seconds of processor time that a process has used; undefined where there is no /proc. */
function cpuSeconds(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

async function createStage(server: Server): Promise<string> {
  const { stage } = await server.call('CreateStage', { name: 'bench', tags: { a: 'b' } });
  return (stage as { arn: string }).arn;
}

async function measure(): Promise<void> {
  const server = await Server.start();
  const load = await Load.start(server.host, connections);
  try {
    const arns = await Promise.all(Array.from({ length: stages }, () => createStage(server)));
    const requests = arns.map((arn) => server.request('GetStage', { arn }));
    console.log(`GetStage, signed, ${stages} stages in SQLite, ${connections} connections`);
    console.log('phase                 requests/s   server CPU   per CPU second      p50      p99   failed');
    for (const phase of phases) {
      const before = cpuSeconds(server.process.pid);
      const result = await load.run(requests, phase);
      const used = (cpuSeconds(server.process.pid) ?? Number.NaN) - (before ?? Number.NaN);
      print(phase, result, used);
    }
  } finally {
    load.stop();
    await server.stop();
  }
}

function print(phase: Phase, { answered, failed, seconds, p50, p99 }: Result, cpu: number): void {
  const columns = [
    (answered / seconds).toFixed(0).padStart(10),
    `${((100 * cpu) / seconds).toFixed(0)} %`.padStart(12),
    (answered / cpu).toFixed(0).padStart(16),
    `${p50.toFixed(2)} ms`.padStart(8),
    `${p99.toFixed(2)} ms`.padStart(8),
    String(failed).padStart(8),
  ];
  console.log([phase.name.padEnd(21), ...columns].join(' '));
}

await benchmark(measure);
