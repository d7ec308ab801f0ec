// Finishes the sign-ins that a provider lists with npm's openid-client, configured as strictly as ours, and prints for each
// the error, or null.
// `node relying_party_oidc.mjs NODE_MODULES http://127.0.0.1:PORT`

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, root] = process.argv.slice(2);
const client = await import(pathToFileURL(createRequire(`${modules}/`).resolve("openid-client")).href);

/** Discovery, token request, ID token and, if the ID token has no address, UserInfo. */
async function signIn({ issuer, callback, verifier, nonce, state, clientId, secret }) {
  const metadata = { [client.clockTolerance]: 60, id_token_signed_response_alg: "RS256" };
  const config = await client.discovery(new URL(issuer), clientId, metadata, client.ClientSecretBasic(secret), {
    // By default it does not verify signatures of ID tokens that come from the token endpoint.
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    timeout: 5,
  });
  const tokens = await client.authorizationCodeGrant(config, new URL(callback), {
    expectedNonce: nonce,
    expectedState: state,
    idTokenExpected: true,
    pkceCodeVerifier: verifier,
  });
  const claims = tokens.claims();
  if (claims.email === undefined && config.serverMetadata().userinfo_endpoint) {
    await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  }
}

const results = {};
for (const scene of await (await fetch(`${root}/scenes`)).json()) {
  try {
    await signIn(scene);
    results[scene.name] = null;
  } catch (error) {
    results[scene.name] = error.cause?.message ? `${error.message}: ${error.cause.message}` : `${error.message}`;
  }
}
console.log(JSON.stringify(results));
