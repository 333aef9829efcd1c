import {
  CreateEncoderConfigurationCommand,
  CreateStageCommand,
  DeleteStageCommand,
  IVSRealTimeClient,
  ListStagesCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
} from '@aws-sdk/client-ivs-realtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningServer, startServer } from './support/server.ts';

const writers = 200;
/** Tags that one resource may have. */
const tagsPerResource = 50;

let server: RunningServer;
let client: IVSRealTimeClient;

beforeAll(async () => {
  server = await startServer({ args: ['--quota', 'encoder-configurations=300'] });
  client = new IVSRealTimeClient({
    ...{ endpoint: server.endpoints.api, region: 'us-west-2', credentials: server.credentials, maxAttempts: 1 },
    requestHandler: { httpAgent: { maxSockets: writers }, requestTimeout: 30_000 },
  });
});
afterAll(async () => {
  client.destroy();
  await server.dispose();
});

const createStage = async () => (await client.send(new CreateStageCommand({}))).stage?.arn ?? '';
const each = <T>(count: number, of: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => of(i)));

/** One walk through all pages, as a caller sees them. */
async function listAll(): Promise<string[]> {
  const arns: string[] = [];
  for (let nextToken: string | undefined, first = true; first || nextToken; first = false) {
    const page = await client.send(new ListStagesCommand({ nextToken, maxResults: 7 }));
    arns.push(...(page.stages ?? []).map(({ arn }) => arn ?? ''));
    nextToken = page.nextToken;
  }
  return arns;
}

test('of 200 clients that write at once, none loses an update or gets the id of another', async () => {
  const shared = await each(writers / tagsPerResource, createStage);
  const arns = await each(writers, async (i) => {
    const resourceArn = shared[i % shared.length];
    const [arn, { encoderConfiguration }] = await Promise.all([
      createStage(),
      client.send(new CreateEncoderConfigurationCommand({})),
      client.send(new TagResourceCommand({ resourceArn, tags: { [`writer-${i}`]: `${i}` } })),
    ]);
    return [arn, encoderConfiguration?.arn];
  });
  expect(new Set(arns.flat()).size).toBe(2 * writers);
  for (const [at, resourceArn] of shared.entries()) {
    const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn }));
    const expected = Array.from({ length: tagsPerResource }, (_, i) => at + i * shared.length);
    expect(tags).toEqual(Object.fromEntries(expected.map((i) => [`writer-${i}`, `${i}`])));
  }
});

test('lists neither skip nor repeat while 200 clients make and delete', async () => {
  const kept = await each(60, createStage);
  let writing = true;
  const walks: string[][] = [];
  const walk = async () => {
    while (writing) walks.push(await listAll());
  };
  const walking = [walk(), walk()];
  await each(writers, async () => {
    await client.send(new DeleteStageCommand({ arn: await createStage() }));
  });
  writing = false;
  await Promise.all(walking);
  for (const seen of walks) {
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(kept));
  }
});
