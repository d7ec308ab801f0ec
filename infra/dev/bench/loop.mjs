// The least that Node can do on Lambda's Runtime API: fetch an event, answer it, and again. Measured beside our
// functions, so that their figures have something to stand against on the same machine.
import http from "node:http";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });
const base = "/2018-06-01/runtime/invocation";

const ask = (method, path, body) =>
  new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `${base}/${path}` }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.headers["lambda-runtime-aws-request-id"]));
    });
    request.on("error", reject);
    request.end(body);
  });

for (;;) {
  const id = await ask("GET", "next");
  await ask("POST", `${id}/response`, '{"statusCode":200}');
}
