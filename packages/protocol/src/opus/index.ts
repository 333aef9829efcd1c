export * as red from './red.ts';
export * from './toc.ts';
