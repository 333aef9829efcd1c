import type { ProcessUsage } from '../media.ts';

/** What this process has used since it started. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return {
    uptimeMs: process.uptime() * 1_000,
    userCpuMs: user / 1_000,
    systemCpuMs: system / 1_000,
    residentBytes: process.memoryUsage.rss(),
  };
}
