export { BandwidthEstimator, type BandwidthOptions } from './estimator.ts';
export type { Probe } from './probe-schedule.ts';
