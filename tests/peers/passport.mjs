// npm's passport-ubuntu without a web server, and the browser that it redirects.

import { createRequire } from "node:module";

export const realm = "http://site.example/";
export const returnUrl = `${realm}callback`;

/** The strategy with the settings of the existing service, at the provider of this root. */
export function createStrategy(modules, root, stateless) {
  const { Strategy } = createRequire(`${modules}/`)("passport-ubuntu");
  const options = { returnURL: returnUrl, realm, providerURL: `${root}/`, stateless };
  return new Strategy(options, (identifier, profile, done) => done(null, { identifier, ...profile }));
}

/** Passes a request to the strategy. Resolves to the URL of its redirect, or to the user of a callback. */
export function authenticate(strategy, url) {
  return new Promise((resolve, reject) => {
    const instance = Object.create(strategy);
    instance.redirect = resolve;
    instance.success = resolve;
    instance.fail = (info) => reject(new Error(info.message));
    instance.error = (error) => reject(error.openidError ?? error);
    instance.authenticate({ method: "GET", url, query: Object.fromEntries(new URL(url).searchParams) });
  });
}

/** Chooses a person at the fake provider; resolves to the URL of the callback. */
export async function choosePerson(request, name) {
  const url = new URL(request);
  url.pathname += "/sign-in-as";
  url.searchParams.set("name", name);
  const response = await fetch(url, { redirect: "manual" });
  if (response.status !== 302) throw new Error(`the provider returned ${response.status}: ${await response.text()}`);
  return response.headers.get("location");
}
