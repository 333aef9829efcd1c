import { performance } from 'node:perf_hooks';
import type { Clock } from './transport.ts';

/** What the children of a process are told of its clock, in their environment. */
export const CLOCK_VARIABLE = 'FOOTLIGHTS_CLOCK_OFFSET_MS';

/** Milliseconds of the machine's monotonic clock, the same in all its processes. */
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const given = Number(process.env[CLOCK_VARIABLE]);

/** What the monotonic clock lacks to the time of day, as it was when the server started. */
export const clockOffsetMs = given > 0 ? given : performance.timeOrigin + performance.now() - monotonicMs();

const originMs = clockOffsetMs + monotonicMs() - performance.now();

/** The time of day as it goes on from the server's start: a step of the machine's clock moves nothing, and all processes of a server agree. */
export const systemClock: Clock = { now: () => originMs + performance.now() };
