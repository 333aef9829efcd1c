export { openStore } from './sqlite.ts';
export * from './types.ts';
