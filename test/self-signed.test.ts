import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateStageCommand,
  DeletePublicKeyCommand,
  GetStageCommand,
  ImportPublicKeyCommand,
} from '@aws-sdk/client-ivs-realtime';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, root, startServer, temporaryFolder } from './support/server.ts';

let server: RunningServer;
let folder: string;

beforeAll(async () => {
  server = await startServer();
  folder = temporaryFolder();
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.dispose();
});

/** The first message of the events socket for this token. */
async function firstMessage(token: string): Promise<{ type: string; payload: { code?: string } }> {
  const socket = new WebSocket(server.endpoints.events, token);
  const [data] = await once(socket, 'message');
  socket.close();
  return JSON.parse(String(data));
}

test('a token made by examples/token.ts joins, until its public key is deleted', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const material = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const { publicKey: imported } = await server.client.send(new ImportPublicKeyCommand({ publicKeyMaterial: material }));
  expect(imported?.fingerprint).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  const { stage: made } = await server.client.send(new CreateStageCommand({}));
  const { stage } = await server.client.send(new GetStageCommand({ arn: made?.arn }));
  writeFileSync(join(folder, 'private.pem'), privateKey.export({ type: 'sec1', format: 'pem' }));
  writeFileSync(join(folder, 'stage.json'), JSON.stringify({ stage }));
  const { code } = transformSync(readFileSync(join(root, 'examples/token.ts'), 'utf8'), {
    loader: 'ts',
    format: 'esm',
  });
  writeFileSync(join(folder, 'token.mjs'), code);
  const args = ['token.mjs', 'private.pem', imported?.arn ?? '', 'stage.json', 'alice'];
  const token = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }).trim();
  expect((await firstMessage(token)).type).toBe('STAGE_STATE');
  await server.client.send(new DeletePublicKeyCommand({ arn: imported?.arn }));
  expect(await firstMessage(token)).toMatchObject({ type: 'aws:ivs:JOIN_ERROR', payload: { code: 'TOKEN_INVALID' } });
});
