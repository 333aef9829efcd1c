import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { CreateParticipantTokenCommand, CreateStageCommand } from '@aws-sdk/client-ivs-realtime';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { executable, type RunningServer, startServer } from './support/server.ts';
import { Terminal } from './support/terminal.ts';

let server: RunningServer;
let terminal: Terminal;
let arn = '';

beforeAll(async () => {
  server = await startServer({ args: ['--session-end-delay', '1'] });
  const { stage } = await server.client.send(new CreateStageCommand({ name: 'evening', tags: { team: 'video' } }));
  arn = stage?.arn ?? '';
});
afterAll(() => server.dispose());

beforeEach(() => {
  terminal = new Terminal(100, 16, {
    FOOTLIGHTS_DATA_DIR: server.dataDir,
    HOME: server.dataDir,
    footlights: executable,
  });
});
afterEach(() => terminal.close());

const getStage = () => `"$footlights" ivs-realtime get-stage --arn ${arn}`;

test('a line says which server on this machine is used', async () => {
  terminal.run(`${getStage()} --query stage.name`);
  const screen = await terminal.shows('"evening"');
  expect(screen).toContain(`footlights: using the server on this machine, ${server.endpoints.api}`);
});

test('the prompt completes commands, options and ARNs of the server, and runs the line', async () => {
  terminal.run('"$footlights" --cli-auto-prompt');
  expect(await terminal.shows('> footlights')).toContain('call one operation of the API');
  terminal.type('ivs');
  await terminal.shows(/> footlights ivs\s+ivs-realtime/);
  terminal.press('Tab');
  await terminal.shows('create-encoder-configuration');
  terminal.type('get-stage ');
  await terminal.shows('required: ARN of the stage');
  terminal.press('Tab', 'Enter');
  await terminal.shows(/> footlights ivs-realtime get-stage --arn\s+arn:aws:ivs/);
  expect(await terminal.shows('evening')).toContain(arn);
  terminal.press('Tab');
  await terminal.shows('--cli-input-json');
  terminal.type('--query stage.tags.team --output text');
  terminal.press('Enter');
  const screen = await terminal.shows(/^video$/m);
  expect(screen).not.toContain('Enter runs');
});

test('the prompt asks only for what is missing when it is on in part, and Ctrl-C leaves it', async () => {
  terminal.run('AWS_CLI_AUTO_PROMPT=on-partial "$footlights" ivs-realtime get-stage; echo "code $?"');
  expect(await terminal.shows('required: ARN of the stage')).toContain('> footlights ivs-realtime get-stage');
  terminal.press('C-c');
  await terminal.shows('code 130');
});

// The prompt of the pager is typed in two pieces, so that the command line itself does not show it.
test('output longer than the screen goes through the pager', async () => {
  terminal.run(`AWS_PAGER='less -P PAG''ED' ${getStage()}; echo "code $?"`);
  expect(await terminal.shows('PAGED')).toContain('"stage": {');
  terminal.press('q');
  await terminal.shows('code 0');
  terminal.run(`AWS_PAGER='less -P PAG''ED' ${getStage()} --no-cli-pager | cat; echo "code $?"`);
  expect(await terminal.shows('code 0')).not.toContain('PAGED');
});

test('output that fits needs no key, and a pager that is missing is named', async () => {
  terminal.run(`${getStage()} --query stage.name; echo "code $?"`);
  expect(await terminal.shows('code 0')).toContain('"evening"');
  terminal.run(`AWS_PAGER=no-such-pager ${getStage()}; echo "code $?"`);
  expect(await terminal.shows('code 253')).toContain('Unable to redirect output to pager');
});

test('help is paged', async () => {
  terminal.run(`PAGER='less -P PAG''ED' "$footlights" ivs-realtime get-stage help; echo "code $?"`);
  expect(await terminal.shows('PAGED')).toContain('get-stage: ');
  terminal.press('q');
  await terminal.shows('code 0');
});

test('tables are coloured on a terminal, and not with --color off', async () => {
  const blue = '[34m';
  terminal.run(`${getStage()} --output table --query stage.tags --no-cli-pager`);
  await terminal.shows('video');
  expect(terminal.screen({ colors: true })).toContain(blue);
  terminal.run(`${getStage()} --output table --query stage.tags --no-cli-pager --color off`);
  await terminal.shows('video');
  expect(terminal.screen({ colors: true })).not.toContain(blue);
});

test('watch shows who comes and goes, fits every size, and gives the screen back', async () => {
  terminal.run(`"$footlights" watch --stage-arn ${arn} --interval 0.2; echo "code $?"`);
  expect(await terminal.shows('nobody is here')).toContain('PARTICIPANT');
  const { participantToken } = await server.client.send(
    new CreateParticipantTokenCommand({ stageArn: arn, userId: 'alice' }),
  );
  const socket = new WebSocket(server.endpoints.events, participantToken?.token);
  const screen = await terminal.shows(/alice\s+connected\s+no/);
  expect(screen).toContain(participantToken?.participantId);
  terminal.resize(40, 8);
  await expect.poll(() => terminal.screen().split('\n')[0]?.length).toBeLessThanOrEqual(40);
  await terminal.shows('alice');
  terminal.resize(100, 16);
  await terminal.shows('LOSS');
  socket.close();
  await terminal.shows('nobody is here');
  terminal.press('C-c');
  const after = await terminal.shows('code 130');
  expect(after).not.toContain('PARTICIPANT');
});

test('Ctrl-C ends a command that waits with 130', async () => {
  const silent = createServer();
  const connected = once(silent, 'connection');
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  terminal.run(`${getStage()} --endpoint-url ${url} --region us-west-2 --no-sign-request; echo "code $?"`);
  await connected;
  terminal.press('C-c');
  await terminal.shows('code 130');
  silent.close();
});

test('completion in bash inserts the ARN, colons and all', async () => {
  terminal.run(`PATH="$(dirname "$footlights"):$PATH"; eval "$(footlights completion bash)"`);
  terminal.run('');
  terminal.type('footlights ivs-realtime get-stage --arn arn:aws');
  terminal.press('Tab');
  await terminal.shows(`get-stage --arn ${arn}`);
});
