import { defineConfig } from 'vitest/config';

/** Of the system tests those that time no pictures: they may run beside others. */
const untimed = [
  ...['addresses', 'all-operations', 'api', 'aws-tools', 'cli-cases', 'cli-terminal', 'concurrency', 'docs'],
  ...['durability', 'events', 'ingest-configurations', 's3', 'self-signed', 'start'],
].map((name) => `test/${name}.test.ts`);

/** Those with media that wait more than they measure: two files at a time leave them time enough. */
const patient = [
  ...['active-speakers', 'clock-step', 'faults', 'ffmpeg8', 'ice-servers', 'limits', 'media-worker'],
  ...['network', 'obs', 'pages'],
  ...['recording-faults', 'recording-kill', 'recording-media', 'recording-s3', 'recordings-page', 'replication'],
  ...['spread', 'statistics'],
].map((name) => `test/${name}.test.ts`);

/** A machine that is held up by something else for seconds is no defect of the server: test/support/timed.ts. */
const media = { testTimeout: 60_000, hookTimeout: 60_000, retry: 2 };

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
      { test: { ...media, name: 'media', include: patient, sequence: { groupOrder: 2 } } },
      {
        test: {
          ...media,
          name: 'timed',
          include: ['test/**/*.test.ts'],
          exclude: [...untimed, ...patient],
          // Browsers and media servers share two cores: one file at a time keeps timing honest.
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
