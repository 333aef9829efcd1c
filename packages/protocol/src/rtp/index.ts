export * from './extension.ts';
export * from './nack-queue.ts';
export * from './packet.ts';
export * from './reception-statistics.ts';
export * as rtx from './rtx.ts';
export * from './sequence.ts';
