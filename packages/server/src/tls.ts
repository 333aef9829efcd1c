import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { makeCertificate } from '@footlights/media';
import { encoderHost } from './addresses.ts';
import type { Config } from './config.ts';
import { readOrMake } from './credentials.ts';
import { messageOf, StartupError } from './startup-error.ts';

/** PEM texts of a certificate chain and its key. */
export interface TlsFiles {
  cert: string;
  key: string;
}

/** The files of --tls-cert and --tls-key; undefined when they are not given. */
export function readTls({ tlsCert, tlsKey }: Config): TlsFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const read = (option: string, path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new StartupError(`${option} ${path} cannot be read: ${messageOf(error)}`);
    }
  };
  return { cert: read('--tls-cert', tlsCert), key: read('--tls-key', tlsKey) };
}

/** What RTMPS is secured with. */
export interface IngestTls extends TlsFiles {
  /** SHA-256 of a certificate that we made ourselves, for people to compare; absent for one that was given. */
  fingerprint?: string;
}

/** The certificate that was given, else one of our own, made once and kept in the data folder: chain and key in one file. */
export function ingestTls(config: Config, now: Date): IngestTls {
  const given = readTls(config);
  if (given) return given;
  const path = join(config.dataDir, 'rtmps.pem');
  const pem = readOrMake(config.dataDir, path, () => {
    const hosts = new Set([encoderHost(config), 'localhost', '127.0.0.1', '::1']);
    const { certificatePem, keyPem } = makeCertificate(now, [...hosts]);
    return certificatePem + keyPem;
  });
  try {
    createSecureContext({ cert: pem, key: pem });
    return { cert: pem, key: pem, fingerprint: new X509Certificate(pem).fingerprint256 };
  } catch (error) {
    throw new StartupError(
      `${path} is not a certificate with its key (${messageOf(error)}): restore it, or delete it to get a new one`,
    );
  }
}
