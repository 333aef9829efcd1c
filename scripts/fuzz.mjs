// npm run fuzz [-- --target name …] [--runs n] [--seconds s] [--seed n]: mutated inputs for the parsers of packages/protocol, all or the
// named ones, each until n inputs (10 million by default) or s seconds have passed. Starts from fuzz-seeds.ts and fuzz-corpus/<target>/.
// An input that breaks a law, or does not end, is written to a file, which belongs into the corpus once the parser is mended.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { install, root } from './setup.mjs';

const bundle = join(root, 'dist/fuzz/targets.mjs');
const corpus = join(root, 'packages/protocol/fuzz-corpus');
/** One input may take this much processor time before it counts as endless. */
const ENDLESS_MS = 10_000;
/** Places in the numbers that a worker shares: inputs begun, length of the one at work. */
const BEGUN = 0;
const LENGTH = 1;
/** Inputs between two looks at the clock. */
const BATCH = 256;

if (isMainThread) await main();
else await work(workerData);

/** Runs one target in a worker, whose buffer of the input at work is shared. */
async function work({ name, runs, seconds, seed, scratch, numbers }) {
  const { fuzzTargets, seeds, Mutator } = await import(bundle);
  const target = fuzzTargets[name];
  const folder = join(corpus, name);
  const files = existsSync(folder) ? readdirSync(folder).map((file) => readFileSync(join(folder, file))) : [];
  const mutator = new Mutator([...(seeds[name] ?? []), ...files], seed, Buffer.from(scratch));
  const end = seconds > 0 ? performance.now() + seconds * 1_000 : Number.POSITIVE_INFINITY;
  let count = 0;
  while (count < runs && performance.now() < end) {
    for (let rest = Math.min(BATCH, runs - count); rest > 0; rest--) {
      const input = mutator.next();
      numbers[LENGTH] = input.length;
      numbers[BEGUN] = ++count | 0;
      try {
        target(input);
      } catch (error) {
        parentPort.postMessage({ count, broken: String(error?.stack ?? error) });
        return;
      }
    }
  }
  parentPort.postMessage({ count });
}

async function main() {
  const options = readOptions();
  install();
  await bundleTargets();
  const { fuzzTargets } = await import(bundle);
  const names = options.target ?? Object.keys(fuzzTargets);
  const unknown = names.filter((name) => !(name in fuzzTargets));
  if (unknown.length > 0) refuse(`no target ${unknown.join(', ')}; there are ${Object.keys(fuzzTargets).join(', ')}`);
  console.log(
    `seed ${options.seed}\n${'target'.padEnd(16)}${'inputs'.padStart(12)}${'seconds'.padStart(10)}${'CPU s'.padStart(10)}${'inputs/CPU s'.padStart(14)}`,
  );
  let failed = false;
  for (const name of names) failed = (await run(name, options)) || failed;
  process.exit(failed ? 1 : 0);
}

/** One row of the table; true when an input failed. */
async function run(name, { runs, seconds, seed }) {
  const scratch = new SharedArrayBuffer(65_536);
  const numbers = new Int32Array(new SharedArrayBuffer(8));
  const [started, startedCpu] = [performance.now(), process.cpuUsage()];
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { name, runs, seconds, seed, scratch, numbers },
  });
  const { count, broken } = await result(worker, numbers);
  const { user, system } = process.cpuUsage(startedCpu);
  const cpu = (user + system) / 1e6;
  const figures = [
    [count, 12],
    [((performance.now() - started) / 1e3).toFixed(1), 10],
    [cpu.toFixed(1), 10],
    [Math.round(count / cpu), 14],
  ];
  console.log(name.padEnd(16) + figures.map(([figure, width]) => String(figure).padStart(width)).join(''));
  if (broken === undefined) return false;
  const input = Buffer.from(Buffer.from(scratch).subarray(0, numbers[LENGTH]));
  const file = join(root, 'dist/fuzz', `${name}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
  writeFileSync(file, input);
  console.error(`${broken}\nfootlights: ${name} fails on the ${input.length} bytes of ${file}`);
  return true;
}

/** What the worker says at its end, or that it does not come to one; the time that counts is the processor's. */
function result(worker, numbers) {
  return new Promise((resolve, reject) => {
    let [last, since] = [-1, process.cpuUsage()];
    const watch = setInterval(() => {
      const { user, system } = process.cpuUsage(since);
      if (numbers[BEGUN] !== last) [last, since] = [numbers[BEGUN], process.cpuUsage()];
      else if ((user + system) / 1e3 > ENDLESS_MS)
        settle({ count: last, broken: `one input took longer than ${ENDLESS_MS / 1e3} s` });
    }, 1_000);
    const settle = (message) => {
      clearInterval(watch);
      worker.terminate();
      resolve(message);
    };
    worker.on('message', settle);
    worker.on('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
  });
}

async function bundleTargets() {
  const { build } = await import('esbuild');
  mkdirSync(join(root, 'dist/fuzz'), { recursive: true });
  const from = (file) => `./packages/protocol/src/${file}`;
  const contents = `export * from '${from('fuzz.ts')}'; export * from '${from('fuzz-seeds.ts')}'; export * from '${from('mutate.ts')}';`;
  await build({
    stdin: { contents, resolveDir: root },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
}

function readOptions() {
  const strings = { runs: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string' } };
  const { values } = parseArgs({ options: { ...strings, target: { type: 'string', multiple: true } } });
  const number = (name, otherwise) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    return Number.isSafeInteger(value) && value >= 0 ? value : refuse(`--${name} takes a whole number`);
  };
  return {
    target: values.target,
    runs: number('runs', values.seconds === undefined ? 10_000_000 : Number.MAX_SAFE_INTEGER),
    seconds: number('seconds', 0),
    seed: number('seed', Date.now() % 2 ** 31),
  };
}

function refuse(message) {
  console.error(`footlights: ${message}`);
  process.exit(1);
}
