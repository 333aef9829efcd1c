import { release } from 'node:os';
import { version } from '../package.json';

/** Our version, and the AWS CLI whose behaviour this one keeps to. */
export function versionLine(): string {
  return `footlights/${version} (as aws-cli/2) Node/${process.versions.node} ${systemName()}/${release()}`;
}

const systemName = (): string =>
  ({ linux: 'Linux', darwin: 'Darwin', win32: 'Windows' })[process.platform as string] ?? process.platform;

/** What the User-Agent header says. */
export const userAgent = `footlights/${version}`;
