import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, executable, type RunningServer, startServer } from './support/server.ts';

let server: RunningServer;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startServer();
  environment = {
    ...cleanEnvironment(),
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    ...exported(),
  };
});

afterAll(() => server.dispose());

/** What `eval "$(footlights env)"` sets. */
function exported(): NodeJS.ProcessEnv {
  const script = 'eval "$("$0" "$1" env --data-dir "$2")"; env | grep ^AWS_';
  const { stdout } = spawnSync('sh', ['-c', script, process.execPath, executable, server.dataDir], {
    encoding: 'utf8',
    env: cleanEnvironment(),
  });
  return Object.fromEntries(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/=(.*)/s) as [string, string]),
  );
}

function run(command: string, args: string[], input?: string) {
  return spawnSync(command, args, { encoding: 'utf8', env: environment, input, timeout: 60_000 });
}

/** The tools that are not part of this project may be missing, or too old for the service: then their tests say so and are skipped. */
const usable = (command: string, args: string[]): boolean => {
  const good = spawnSync(command, args, { timeout: 30_000 }).status === 0;
  if (!good)
    console.warn(
      `skipped: "${command}" is not installed, or does not know ivs-realtime and AWS_ENDPOINT_URL_IVS_REALTIME`,
    );
  return good;
};
const knowsReplicas = "import boto3; boto3.client('ivs-realtime', region_name='us-west-2').list_participant_replicas";
const boto3 = usable('python3', ['-c', knowsReplicas]);
const awsCli = usable('aws', ['ivs-realtime', 'list-participant-replicas', 'help']);

describe.skipIf(!boto3)('boto3', () => {
  test('calls all 39 operations', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const script = fileURLToPath(new URL('support/boto3_client.py', import.meta.url));
    const { stdout, stderr } = run('python3', [script], pem);
    const outcomes = JSON.parse(stdout || '{}') as Record<string, string>;
    expect(Object.keys(outcomes), stderr).toHaveLength(39);
    // Nobody joined: what is asked of a session or a participant is not there.
    const absent = [
      'disconnect_participant',
      'get_stage_session',
      'get_participant',
      'start_participant_replication',
      'stop_participant_replication',
    ];
    const expected = Object.keys(outcomes).map((name) => [
      name,
      absent.includes(name) ? 'ResourceNotFoundException' : 'ok',
    ]);
    expect(outcomes).toMatchObject(
      Object.fromEntries(expected.filter(([name]) => name !== 'delete_stage' && name !== 'stop_composition')),
    );
  });
});

describe.skipIf(!awsCli)('the AWS CLI', () => {
  test('makes, shows and deletes a stage', () => {
    const created = run('aws', ['ivs-realtime', 'create-stage', '--name', 'demo', '--tags', 'team=live']);
    expect(created.stderr).toBe('');
    const { stage } = JSON.parse(created.stdout);
    const got = run('aws', [
      'ivs-realtime',
      'get-stage',
      '--arn',
      stage.arn,
      '--query',
      'stage.[name,tags.team]',
      '--output',
      'text',
    ]);
    expect(got.stdout).toBe('demo\tlive\n');
    expect(run('aws', ['ivs-realtime', 'delete-stage', '--arn', stage.arn]).status).toBe(0);
    const gone = run('aws', ['ivs-realtime', 'get-stage', '--arn', stage.arn]);
    expect(gone.stderr).toMatch(
      /An error occurred \(ResourceNotFoundException\) when calling the GetStage operation: \S/,
    );
  });
});
