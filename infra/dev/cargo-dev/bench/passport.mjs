// Measures callbacks of npm's passport-ubuntu, one after another, stateless as in the existing service. Without web
// server, session and database, passport-ubuntu does less here than in that service.
// `node passport.mjs NODE_MODULES http://127.0.0.1:PORT CALLBACKS`

import { authenticate, choosePerson, createStrategy, returnUrl } from "../../../../tests/peers/passport.mjs";

const [modules, root, callbacks] = process.argv.slice(2);
const strategy = createStrategy(modules, root, true);
const request = await authenticate(strategy, returnUrl);

// Warm-up callbacks are not measured, for all programs.
const warmUp = Math.ceil(callbacks / 10);
const urls = [];
while (urls.length < Number(callbacks) + warmUp) urls.push(await choosePerson(request, "alice"));
for (const url of urls.splice(0, warmUp)) await authenticate(strategy, url);

const cpuBefore = process.cpuUsage();
const started = performance.now();
for (const url of urls) {
  const { identifier, email } = await authenticate(strategy, url);
  if (!identifier || !email) throw new Error("signed in without an identifier or an address");
}
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const peak = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6, peak_mb: peak / 1e6 }));
