import { performance } from 'node:perf_hooks';
import type { Clock } from './transport.ts';

const { timeOrigin } = performance;

/** The process's monotonic clock, set to the time of day once at the start. */
export const systemClock: Clock = { now: () => timeOrigin + performance.now() };
