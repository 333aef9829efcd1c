import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from './certificate.ts';

describe('makeCertificate', () => {
  const now = new Date('2026-03-04T05:06:07Z');
  const made = makeCertificate(now);
  const parsed = new X509Certificate(made.certificatePem);

  it('is an X.509 certificate signed by its own P-256 key', () => {
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(made.keyPem))).toBe(true);
    expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(parsed.subject).toBe('CN=footlights');
  });

  it('tells its fingerprint as SDP writes it', () => {
    expect(made.fingerprintSha256).toBe(parsed.fingerprint256);
  });

  it('is valid from the day before, for ten years', () => {
    expect(new Date(parsed.validFrom)).toEqual(new Date('2026-03-03T05:06:07Z'));
    expect(new Date(parsed.validTo).getUTCFullYear()).toBe(2036);
  });

  it('is another one each time', () => {
    expect(makeCertificate(now).fingerprintSha256).not.toBe(made.fingerprintSha256);
  });

  it('names the hosts of a TLS server', () => {
    const { certificatePem, keyPem } = makeCertificate(now, ['localhost', '127.0.0.1', '::1', 'fe80::1:0:2']);
    const parsed = new X509Certificate(certificatePem);
    expect(parsed.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:1:0:2',
    );
    expect([parsed.checkHost('localhost'), parsed.checkIP('::1'), parsed.checkHost('other')]).toEqual([
      'localhost',
      '::1',
      undefined,
    ]);
    expect(parsed.verify(parsed.publicKey) && parsed.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
    expect(new X509Certificate(made.certificatePem).subjectAltName).toBeUndefined();
  });
});
