// Signs in at a provider with relying parties that nobody here wrote, and prints what each of them saw as JSON.
// `node relying_party.mjs NODE_MODULES http://127.0.0.1:PORT WORD_OF_ALICE`

import { createRequire } from "node:module";
import { promisify } from "node:util";

const [modules, root, word] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const openid = require("openid");
const UbuntuStrategy = require("passport-ubuntu").Strategy;

// Nothing listens there: what the browser would bring is handed over in this process.
const realm = "http://site.example/";
const returnUrl = `${realm}callback`;
const registration = { email: "required", nickname: "required", fullname: true };

/** What the browser brings back when it chooses this person. */
async function chosen(request, name) {
  const url = new URL(request);
  url.pathname += "/sign-in-as";
  url.searchParams.set("name", name);
  const answer = await fetch(url, { redirect: "manual" });
  if (answer.status !== 302) throw new Error(`the provider answered ${answer.status}: ${await answer.text()}`);
  return answer.headers.get("location");
}

/** A word on how a promise of the relying party's ended. */
async function outcome(promise) {
  try {
    const result = await promise;
    return result.authenticated ? "authenticated" : "not authenticated";
  } catch (error) {
    return error.message;
  }
}

/** One sign-in of node-openid's relying party: discovery, an association if it is not stateless, verification. */
async function signIn(identifier, stateless) {
  const extensions = [new openid.SimpleRegistration(registration)];
  const party = new openid.RelyingParty(returnUrl, realm, stateless, true, extensions);
  const authenticate = promisify(party.authenticate.bind(party));
  const verify = promisify(party.verifyAssertion.bind(party));
  const request = await authenticate(identifier, false);
  const back = await chosen(request, "alice");
  const tampered = new URL(await chosen(request, "alice"));
  tampered.searchParams.set("openid.sreg.email", "mallory@mail.example");
  const { authenticated, claimedIdentifier, email, nickname } = await verify(back);
  return {
    associated: new URL(request).searchParams.has("openid.assoc_handle"),
    authenticated,
    claimedIdentifier,
    email,
    nickname,
    replayed: await outcome(verify(back)),
    tampered: await outcome(verify(tampered.href)),
  };
}

/** An association of one kind, made by node-openid. */
async function associate(algorithm) {
  const provider = { version: "http://specs.openid.net/auth/2.0", endpoint: `${root}/+openid` };
  const { assoc_type, session_type } = await promisify(openid.associate)(provider, true, algorithm);
  return `${assoc_type} by ${session_type}`;
}
// node-openid's callback is not the last argument.
openid.associate[promisify.custom] = (provider, strict, algorithm) =>
  new Promise((done, failed) =>
    openid.associate(provider, (error, answer) => (error ? failed(new Error(error.message)) : done(answer)), strict, algorithm),
  );

/** One step of passport: what the strategy says is to be done. */
function step(strategy, url) {
  return new Promise((done, failed) => {
    const acting = Object.create(strategy);
    acting.redirect = done;
    acting.success = done;
    acting.fail = (info) => failed(new Error(info.message));
    acting.error = (error) => failed(error.openidError ?? error);
    acting.authenticate({ method: "GET", url, query: Object.fromEntries(new URL(url).searchParams) });
  });
}

/** What the existing service signs in with. */
async function passport(stateless) {
  const options = { returnURL: returnUrl, realm, providerURL: `${root}/`, stateless };
  const strategy = new UbuntuStrategy(options, (identifier, profile, done) => done(null, { identifier, ...profile }));
  const request = await step(strategy, returnUrl);
  const back = await chosen(request, "alice");
  const { identifier, email, nickname } = await step(strategy, back);
  return { identifier, email, nickname };
}

const seen = {
  smart: await signIn(`${root}/`, false),
  stateless: await signIn(`${root}/`, true),
  byIdentifier: await signIn(`${root}/+id/${word}`, false),
  associations: [],
  passport: await passport(false),
  passportStateless: await passport(true),
};
for (const algorithm of ["DH-SHA256", "DH-SHA1", "no-encryption-256", "no-encryption"]) {
  seen.associations.push(await associate(algorithm));
}
console.log(JSON.stringify(seen));
// The associations of node-openid wait for their end in timers.
process.exit(0);
