// Keys from the machine or container that a command runs on: the container credentials endpoint, then instance metadata.

import type { IncomingMessage } from 'node:http';
import type { Credentials } from '@footlights/model';
import { CliError, exitCodes } from './errors.ts';

type Environment = NodeJS.ProcessEnv;

/** Milliseconds that one request to an endpoint on this machine may take. */
const patience = 1000;

/** Keys of the container or the instance; undefined when there is neither. */
export async function fromMetadata(env: Environment): Promise<Credentials | undefined> {
  const container = containerUrl(env);
  if (container !== undefined) return fromContainer(container, env);
  return env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true' ? undefined : fromInstance(env);
}

function containerUrl(env: Environment): string | undefined {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  return relative ? `http://169.254.170.2${relative}` : env.AWS_CONTAINER_CREDENTIALS_FULL_URI || undefined;
}

async function fromContainer(url: string, env: Environment): Promise<Credentials> {
  const token = env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  const answer = await ask('GET', url, { accept: 'application/json', ...(token && { authorization: token }) });
  const found = answer && readKeys(answer);
  if (found) return found;
  throw new CliError(
    exitCodes.other,
    'Error when retrieving credentials from container-role: Error retrieving metadata: the endpoint gives no keys',
  );
}

const instanceEndpoint = 'http://169.254.169.254';
const role = '/latest/meta-data/iam/security-credentials/';

async function fromInstance(env: Environment): Promise<Credentials | undefined> {
  const base = (env.AWS_EC2_METADATA_SERVICE_ENDPOINT || instanceEndpoint).replace(/\/+$/, '');
  const token = await ask('PUT', `${base}/latest/api/token`, { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' });
  if (token === undefined) return undefined;
  const headers = { 'x-aws-ec2-metadata-token': token };
  const name = await ask('GET', base + role, headers);
  const answer = name && (await ask('GET', `${base}${role}${name.trim()}`, headers));
  return answer ? readKeys(answer) : undefined;
}

function readKeys(text: string): Credentials | undefined {
  try {
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken } = JSON.parse(text);
    if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string') return undefined;
    return { accessKeyId, secretAccessKey, ...(typeof sessionToken === 'string' && { sessionToken }) };
  } catch {
    return undefined;
  }
}

/** The body of a 200; undefined for anything else, and for no answer in time. */
async function ask(method: string, url: string, headers: Record<string, string>): Promise<string | undefined> {
  const http = await import('node:http');
  return new Promise((resolve) => {
    const give = (): void => resolve(undefined);
    const request = http.request(url, { method, headers, signal: AbortSignal.timeout(patience) });
    request.on('error', give);
    request.on('response', (response) => {
      if (response.statusCode === 200) readText(response).then(resolve, give);
      else give();
    });
    request.end();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
