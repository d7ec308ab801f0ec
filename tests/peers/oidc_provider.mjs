// An OpenID Connect provider: npm's oidc-provider with its pages for development. Prints its port, and serves on loopback
// until its input ends.
// `node oidc_provider.mjs NODE_MODULES SETTINGS`, with JSON: `client` (metadata; `{port}` in it becomes the port of the
// provider), and `users`: addresses by subject. Every password is right.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, text] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(createRequire(`${modules}/`).resolve("oidc-provider")));

let handle;
const server = createServer((request, response) => handle(request, response));
// Bound first: issuer and redirect URIs contain the port.
await new Promise((resolve) => server.listen(0, "localhost", resolve));
const { port } = server.address();
const { client, users } = JSON.parse(text.replaceAll("{port}", port));

const provider = new Provider(`http://localhost:${port}`, {
  clients: [client],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  // Without the dispatcher that refuses loopback addresses.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  findAccount(_, id) {
    const email = users[id];
    return email && { accountId: id, claims: () => ({ sub: id, email, email_verified: true }) };
  },
});
handle = provider.callback();
console.log(port);
process.stdin.on("end", () => process.exit(0)).resume();
