import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Case, runCase } from './support/cli-cases.ts';
import { executable } from './support/server.ts';

const folder = join(import.meta.dirname, 'cli-cases');

// Recorded from Debian's awscli 2.9.19: exit code, stdout, stderr and requests, byte for byte.
describe.each(readdirSync(folder))('%s', (file) => {
  const cases: Case[] = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  test.concurrent.each(cases)('$name', async (recorded) => {
    const { result, ours } = recorded;
    const { why: _, ...different } = ours ?? { why: '' };
    expect(await runCase([executable], recorded)).toEqual({ ...result, ...different });
  });
});
