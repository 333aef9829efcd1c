// Each of the 39 operations through SigV4 and SQLite: requests a second and the 99th percentile. Then a session of 25,000
// participants, page by page, and CreateStage on a schedule. Run: npm run bench -- operations.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { newResourceId, newSessionId, type OperationName, operations } from '@footlights/model';
import Database from 'libsql';
import { benchmark, Load, type Phase, Server } from './support/load.ts';

const connections = 16;
const secondsEach = 0.6;
/** Requests of those that can each be sent once: they use up what they name. */
const single = 600;
const people = 25_000;
const pageSize = 100;
const createsASecond = 1_000;

type Input = Record<string, unknown>;
type Kind = 'Stage' | 'EncoderConfiguration' | 'StorageConfiguration' | 'IngestConfiguration' | 'PublicKey';

const newPem = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** What is enough to make one of each kind. */
const makes: Record<Kind, { name: OperationName; input(): Input }> = {
  Stage: { name: 'CreateStage', input: () => ({ name: 'bench' }) },
  EncoderConfiguration: { name: 'CreateEncoderConfiguration', input: () => ({}) },
  StorageConfiguration: { name: 'CreateStorageConfiguration', input: () => ({ s3: { bucketName: 'bench' } }) },
  IngestConfiguration: { name: 'CreateIngestConfiguration', input: () => ({ ingestProtocol: 'RTMPS' }) },
  PublicKey: { name: 'ImportPublicKey', input: () => ({ publicKeyMaterial: newPem() }) },
};

const many = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));

async function make(server: Server, kind: Kind): Promise<string> {
  const { name, input } = makes[kind];
  const output = await server.call(name, input());
  return (output[kind[0]!.toLowerCase() + kind.slice(1)] as { arn: string }).arn;
}

/** A session of 25,000 participants, written into the database of a server that is not running. */
function fillSession(dataDir: string, stageArn: string): string {
  const sessionId = newSessionId();
  const database = new Database(join(dataDir, 'footlights.db'));
  database.prepare('insert into sessions values (?, ?, ?, ?)').run(stageArn, sessionId, time(0), time(people));
  const person = database.prepare(
    `insert into participants (stage_arn, session_id, participant_id, user_id, attributes, state, first_join_time, published,
     protocol, client, barred, recording_state) values (?, ?, ?, '""', '{}', 'DISCONNECTED', ?, 0, 'UNKNOWN', '{}', 0, 'DISABLED')`,
  );
  database.transaction(() => {
    for (let i = 0; i < people; i++) person.run(stageArn, sessionId, newResourceId(), time(i));
  })();
  database.close();
  return sessionId;
}

const time = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

/** What every operation can be called with, over and over or once each. */
interface World {
  stages: string[];
  encoder: string;
  storage: string;
  ingest: string;
  publicKey: string;
  composition: string;
  participant: { stageArn: string; sessionId: string; participantId: string };
}

async function makeWorld(server: Server, stageArn: string, sessionId: string): Promise<World> {
  const stages = await Promise.all(many(50, () => make(server, 'Stage')));
  const [encoder, storage] = [await make(server, 'EncoderConfiguration'), await make(server, 'StorageConfiguration')];
  const s3 = { storageConfigurationArn: storage, encoderConfigurationArns: [encoder] };
  const { composition } = await server.call('StartComposition', { stageArn, destinations: [{ s3 }] });
  const { participants } = await server.call('ListParticipants', { stageArn, sessionId, maxResults: 1 });
  const [{ participantId }] = participants as [{ participantId: string }];
  return {
    ...{ stages, encoder, storage, participant: { stageArn, sessionId, participantId } },
    ingest: await make(server, 'IngestConfiguration'),
    publicKey: await make(server, 'PublicKey'),
    composition: (composition as { arn: string }).arn,
  };
}

/** The calls of one operation, and what they are answered with. */
interface Plan {
  inputs: Input[];
  once?: boolean;
  status?: number;
}

async function planOf(name: OperationName, server: Server, world: World): Promise<Plan> {
  const { encoder, storage, ingest, publicKey, composition, participant, stages } = world;
  const { stageArn } = participant;
  const kind = name.replace(/^(Create|Import|Get|Update|Delete)/, '') as Kind;
  const arnOf = { EncoderConfiguration: encoder, StorageConfiguration: storage, IngestConfiguration: ingest };
  const arns = { ...arnOf, PublicKey: publicKey, Composition: composition, Stage: stageArn };
  const arn = (arns as Record<string, string>)[kind];
  const s3 = { storageConfigurationArn: storage, encoderConfigurationArns: [encoder] };
  const replication = { sourceStageArn: stageArn, destinationStageArn: stages[0], participantId: 'nobody' };
  switch (name) {
    case 'ImportPublicKey':
      return { inputs: many(single, makes.PublicKey.input), once: true };
    case 'StartComposition':
      return {
        inputs: many(single, () => ({ stageArn, destinations: [{ s3 }], idempotencyToken: randomUUID() })),
        once: true,
      };
    case 'StopComposition':
      return { inputs: [{ arn: composition }] };
    case 'TagResource':
      return { inputs: stages.map((resourceArn) => ({ resourceArn, tags: { a: 'b' } })) };
    case 'UntagResource':
      return { inputs: stages.map((resourceArn) => ({ resourceArn, tagKeys: ['a'] })) };
    case 'ListTagsForResource':
      return { inputs: stages.map((resourceArn) => ({ resourceArn })) };
    // Nobody is live here: what is measured is how fast that is found out.
    case 'DisconnectParticipant':
      return { inputs: [{ stageArn, participantId: 'nobody' }], status: 404 };
    case 'StartParticipantReplication':
    case 'StopParticipantReplication':
      return { inputs: [replication], status: 404 };
    default:
  }
  if (name.startsWith('Delete')) {
    const doomed = await Promise.all(many(single, () => make(server, kind)));
    return { inputs: doomed.map((one) => ({ arn: one })), once: true };
  }
  if (name.startsWith('Create') && kind in makes) return { inputs: [makes[kind].input()] };
  if (arn) return { inputs: [{ arn }] };
  return { inputs: [{ ...participant, sourceStageArn: stageArn }] };
}

async function measureEach(server: Server, load: Load, world: World): Promise<void> {
  console.log(`each operation, signed, ${connections} connections; * is answered 404, for nobody is live`);
  console.log('operation                        requests/s      p50      p99   failed');
  for (const name of Object.keys(operations) as OperationName[]) {
    const { inputs, once, status } = await planOf(name, server, world);
    const requests = inputs.map((input) => server.request(name, input));
    const result = await load.run(requests, { name, seconds: once ? 5 : secondsEach, once, status });
    print(status ? `${name} *` : name, result);
  }
}

async function measurePages(server: Server, { participant }: World): Promise<void> {
  const { stageArn, sessionId } = participant;
  const times: number[] = [];
  let nextToken: unknown;
  let seen = 0;
  do {
    const started = performance.now();
    const page = await server.call('ListParticipants', { stageArn, sessionId, maxResults: pageSize, nextToken });
    times.push(performance.now() - started);
    seen += (page.participants as unknown[]).length;
    nextToken = page.nextToken;
  } while (nextToken);
  const quarter = Math.floor(times.length / 4);
  const sum = (some: readonly number[]) => some.reduce((total, one) => total + one, 0);
  const mean = (some: readonly number[]) => (sum(some) / some.length).toFixed(2);
  console.log(`\nListParticipants, ${seen} participants in pages of ${pageSize}: ${(sum(times) / 1000).toFixed(2)} s`);
  console.log(
    `  a page of the first quarter ${mean(times.slice(0, quarter))} ms, of the last ${mean(times.slice(-quarter))} ms`,
  );
}

async function measureSchedule(server: Server, load: Load): Promise<void> {
  const phase: Phase = { name: `CreateStage at ${createsASecond} a second`, seconds: 4, rate: createsASecond };
  console.log('\ndurable writes on a schedule     requests/s      p50      p99   failed');
  print(phase.name, await load.run([server.request('CreateStage', { name: 'bench' })], phase));
}

function print(name: string, { answered, failed, seconds, p50, p99 }: Awaited<ReturnType<Load['run']>>): void {
  const columns = [
    (answered / seconds).toFixed(0).padStart(10),
    `${p50.toFixed(2)} ms`.padStart(8),
    `${p99.toFixed(2)} ms`.padStart(8),
    String(failed).padStart(8),
  ];
  console.log([name.padEnd(32), ...columns].join(' '));
}

async function measure(): Promise<void> {
  const quotas = ['stages', 'public-keys', 'compositions', 'compositions-per-stage']
    .concat('encoder-configurations', 'storage-configurations', 'ingest-configurations')
    .map((quota) => `--quota=${quota}=1000000`);
  const first = await Server.start(quotas);
  const stageArn = await make(first, 'Stage');
  await first.stop({ keep: true });
  const sessionId = fillSession(first.dataDir, stageArn);
  const server = await Server.start(quotas, first.dataDir);
  const load = await Load.start(server.host, connections);
  try {
    const world = await makeWorld(server, stageArn, sessionId);
    await load.run([server.request('GetStage', { arn: stageArn })], { name: 'warm-up', seconds: 1 });
    await measureEach(server, load, world);
    await measurePages(server, world);
    await measureSchedule(server, load);
  } finally {
    load.stop();
    await server.stop();
  }
}

await benchmark(measure);
