import { defineConfig } from 'vitest/config';

/** Of the system tests those that time no pictures: they may run beside others. */
const untimed = [
  ...['addresses', 'all-operations', 'api', 'aws-tools', 'cli-cases', 'cli-terminal', 'concurrency', 'docs'],
  ...['durability', 'events', 'ingest-configurations', 's3', 'self-signed', 'start'],
].map((name) => `test/${name}.test.ts`);

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // A busy machine may take a while for a thousand random inputs.
      { test: { name: 'unit', include: ['packages/*/src/**/*.test.ts'], testTimeout: 20_000 } },
      {
        test: {
          name: 'system',
          include: untimed,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'timed',
          include: ['test/**/*.test.ts'],
          exclude: untimed,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // A machine that is held up by something else for seconds is no defect of the server: test/support/timed.ts.
          retry: 2,
          // Browsers and media servers share two cores: one file at a time keeps timing honest.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
