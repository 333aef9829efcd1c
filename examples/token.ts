// A participant token that you sign yourself: no call to the API, so that a web server of yours can make thousands a second.
//
// Once, make a key pair and import the public half:
//
//   openssl ecparam -name secp384r1 -genkey -noout -out private.pem
//   openssl ec -in private.pem -pubout -out public.pem
//   ./bin/footlights ivs-realtime import-public-key --public-key-material file://public.pem
//
// Then, for each participant (Node.js 22.18 and newer runs TypeScript as it is; before that, put esbuild in front):
//
//   node examples/token.ts private.pem <public key arn> <stage.json> [user id]
//   npx esbuild examples/token.ts --format=esm | node --input-type=module - private.pem <public key arn> <stage.json> [user id]
//
// <stage.json> is what get-stage printed.
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What of a stage goes into its tokens; GetStage returns it. */
interface Stage {
  arn: string;
  endpoints: { events: string; whip: string };
}

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs a token for the stage that lasts for `minutes`, at most 20160 (14 days). */
function participantToken(
  stage: Stage,
  key: { privatePem: string; publicKeyArn: string },
  participant: { userId?: string; attributes?: Record<string, string>; minutes?: number } = {},
): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: 'ES384', typ: 'JWT', kid: key.publicKeyArn };
  const claims = {
    iat: now,
    exp: now + (participant.minutes ?? 720) * 60,
    jti: randomUUID(),
    resource: stage.arn,
    topic: stage.arn.split('/')[1],
    events_url: stage.endpoints.events,
    whip_url: stage.endpoints.whip,
    user_id: participant.userId,
    attributes: participant.attributes,
    capabilities: { allow_publish: true, allow_subscribe: true },
    version: '1.0',
  };
  const signed = `${base64url(header)}.${base64url(claims)}`;
  const privateKey = createPrivateKey(key.privatePem);
  // JOSE wants r and s side by side, not ASN.1 (RFC 7518 section 3.4).
  const signature = sign('sha384', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

const [privateFile, publicKeyArn, stageFile, userId] = process.argv.slice(2);
if (!privateFile || !publicKeyArn || !stageFile) {
  console.error('usage: token.ts <private.pem> <public key arn> <stage.json> [user id]');
  process.exit(1);
}
const { stage } = JSON.parse(readFileSync(stageFile, 'utf8')) as { stage: Stage };
console.log(participantToken(stage, { privatePem: readFileSync(privateFile, 'utf8'), publicKeyArn }, { userId }));
