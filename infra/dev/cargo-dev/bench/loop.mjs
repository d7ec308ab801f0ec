// A minimal Node program on Lambda's Runtime API: fetches an event, responds, and repeats. `cargo dev bench start` compares
// our functions with it on the same machine.
import http from "node:http";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });
const base = "/2018-06-01/runtime/invocation";

const send = (method, path, body) =>
  new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `${base}/${path}` }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.headers["lambda-runtime-aws-request-id"]));
    });
    request.on("error", reject);
    request.end(body);
  });

for (;;) {
  const id = await send("GET", "next");
  await send("POST", `${id}/response`, '{"statusCode":200}');
}
