// Signs in at a provider with third-party relying parties, and prints the result of each as JSON.
// `node relying_party.mjs NODE_MODULES http://127.0.0.1:PORT IDENTIFIER_OF_ALICE`

import { createRequire } from "node:module";
import { promisify } from "node:util";

import { authenticate, choosePerson, createStrategy, realm, returnUrl } from "./passport.mjs";

const [modules, root, identifier] = process.argv.slice(2);
const openid = createRequire(`${modules}/`)("openid");

const registration = { email: "required", nickname: "required", fullname: true };

/** Describes how the promise of a relying party was settled. */
async function outcome(promise) {
  try {
    const result = await promise;
    return result.authenticated ? "authenticated" : "not authenticated";
  } catch (error) {
    return error.message;
  }
}

/** A sign-in with node-openid: discovery, an association unless it is stateless, and verification. */
async function signIn(userIdentifier, stateless) {
  const extensions = [new openid.SimpleRegistration(registration)];
  const party = new openid.RelyingParty(returnUrl, realm, stateless, true, extensions);
  const verify = promisify(party.verifyAssertion.bind(party));
  const request = await promisify(party.authenticate.bind(party))(userIdentifier, false);
  const callback = await choosePerson(request, "alice");
  const tampered = new URL(await choosePerson(request, "alice"));
  tampered.searchParams.set("openid.sreg.email", "mallory@mail.example");
  const { authenticated, claimedIdentifier, email, nickname } = await verify(callback);
  return {
    associated: new URL(request).searchParams.has("openid.assoc_handle"),
    authenticated,
    claimedIdentifier,
    email,
    nickname,
    replayed: await outcome(verify(callback)),
    tampered: await outcome(verify(tampered.href)),
  };
}

/** Establishes an association with node-openid. */
async function associate(algorithm) {
  const provider = { version: "http://specs.openid.net/auth/2.0", endpoint: `${root}/+openid` };
  const { assoc_type, session_type } = await promisify(openid.associate)(provider, true, algorithm);
  return `${assoc_type} by ${session_type}`;
}
// node-openid's callback is not the last argument.
openid.associate[promisify.custom] = (provider, strict, algorithm) =>
  new Promise((resolve, reject) =>
    openid.associate(
      provider,
      (error, association) => (error ? reject(new Error(error.message)) : resolve(association)),
      strict,
      algorithm,
    ),
  );

/** A sign-in with passport-ubuntu, which the existing service uses. */
async function passport(stateless) {
  const strategy = createStrategy(modules, root, stateless);
  const request = await authenticate(strategy, returnUrl);
  const { identifier, email, nickname } = await authenticate(strategy, await choosePerson(request, "alice"));
  return { identifier, email, nickname };
}

const results = {
  smart: await signIn(`${root}/`, false),
  stateless: await signIn(`${root}/`, true),
  byIdentifier: await signIn(`${root}/+id/${identifier}`, false),
  associations: [],
  passport: await passport(false),
  passportStateless: await passport(true),
};
for (const algorithm of ["DH-SHA256", "DH-SHA1", "no-encryption-256", "no-encryption"]) {
  results.associations.push(await associate(algorithm));
}
console.log(JSON.stringify(results));
// Timers for the expiry of associations would keep the process running.
process.exit(0);
