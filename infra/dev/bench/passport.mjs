// npm's passport-ubuntu, stateless as the existing service has it, verifies callbacks one after another. There is no web
// server, session or database around it, which is in its favour.
// `node passport.mjs NODE_MODULES http://127.0.0.1:PORT CALLBACKS`

import { createRequire } from "node:module";

const [modules, root, callbacks] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { Strategy } = require("passport-ubuntu");

const realm = "http://site.example/";
const options = { returnURL: `${realm}callback`, realm, providerURL: `${root}/`, stateless: true };
const strategy = new Strategy(options, (identifier, profile, done) => done(null, { identifier, ...profile }));

/** One step of passport: what the strategy says is to be done. */
const step = (url) =>
  new Promise((done, failed) => {
    const acting = Object.create(strategy);
    acting.redirect = done;
    acting.success = done;
    acting.fail = (info) => failed(new Error(info.message));
    acting.error = (error) => failed(error.openidError ?? error);
    acting.authenticate({ method: "GET", url, query: Object.fromEntries(new URL(url).searchParams) });
  });

const request = new URL(await step(options.returnURL));
request.pathname += "/sign-in-as";
request.searchParams.set("name", "alice");
const chosen = async () => (await fetch(request, { redirect: "manual" })).headers.get("location");

// Both sides get as many callbacks before the clock runs, to be warm.
const warm = Math.ceil(callbacks / 10);
const urls = [];
while (urls.length < Number(callbacks) + warm) urls.push(await chosen());
for (const url of urls.splice(0, warm)) await step(url);

const cpu = process.cpuUsage();
const begin = performance.now();
for (const url of urls) {
  const { identifier, email } = await step(url);
  if (!identifier || !email) throw new Error("signed in without an identifier or an address");
}
const seconds = (performance.now() - begin) / 1000;
const { user, system } = process.cpuUsage(cpu);
const peak = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6, peak_mb: peak / 1e6 }));
