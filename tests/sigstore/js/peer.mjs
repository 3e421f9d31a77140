// sigstore-js as a peer: signs a statement, or verifies the bundle of one.
//
//   node peer.mjs sign   ADDRESSES.json LOG-VERSION TOKEN STATEMENT BUNDLE
//   node peer.mjs verify TRUSTED-ROOT IDENTITY ISSUER ARTIFACT BUNDLE
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { DSSEBundleBuilder, FulcioSigner, RekorWitness, TSAWitness } from '@sigstore/sign';
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify';

const PAYLOAD = 'application/vnd.in-toto+json';

const [command, ...rest] = process.argv.slice(2);
if (command === 'sign') {
  await sign(...rest);
} else if (command === 'verify') {
  verify(...rest);
} else {
  throw new Error(`no command is named ${command}`);
}

async function sign(addresses, version, token, statement, bundle) {
  const servers = JSON.parse(addresses);
  const common = { retry: 0, timeout: 20000 };
  const builder = new DSSEBundleBuilder({
    signer: new FulcioSigner({
      ...common,
      fulcioBaseURL: servers.fulcio,
      identityProvider: { getToken: async () => token },
    }),
    witnesses: [
      new RekorWitness({
        ...common,
        rekorBaseURL: version === '2' ? servers.rekor_v2 : servers.rekor_v1,
        majorApiVersion: Number(version),
        entryType: 'dsse',
      }),
      new TSAWitness({ ...common, tsaBaseURL: servers.timestamps }),
    ],
  });
  const made = await builder.create({ type: PAYLOAD, data: readFileSync(statement) });
  writeFileSync(bundle, JSON.stringify(bundleToJSON(made)));
}

function verify(root, identity, issuer, artifact, bundle) {
  const trusted = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(readFileSync(root))));
  const read = bundleFromJSON(JSON.parse(readFileSync(bundle)));
  new Verifier(trusted).verify(toSignedEntity(read), {
    subjectAlternativeName: `^${identity.replace(/[.+]/g, '\\$&')}$`,
    extensions: { issuer },
  });
  // The library leaves it to its caller what a statement is about.
  const statement = JSON.parse(read.content.dsseEnvelope.payload);
  const digest = createHash('sha256').update(readFileSync(artifact)).digest('hex');
  if (!statement.subject.some((subject) => subject.digest.sha256 === digest)) {
    throw new Error('the statement is about another artifact');
  }
}
