"""An OpenID 2.0 provider with python3-openid. Prints its port, and serves on loopback until its input ends.

Besides the protocol's parameters, the browser's request describes the person who signs in: `identifier`, `email`,
`fullname` and optionally `language`.
"""

import http.server
import sys
import threading
import urllib.parse

from openid.extensions import sreg
from openid.server.server import ProtocolError, Server
from openid.store.memstore import MemoryStore


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.respond(urllib.parse.urlsplit(self.path).query)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.respond(self.rfile.read(length).decode())

    def respond(self, text):
        query = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        provider = self.server.provider
        try:
            request = provider.decodeRequest(query)
            if request is None:
                raise ProtocolError(None, "no OpenID request")
            if request.mode == "checkid_setup":
                response = self.sign_in(request, query)
            else:
                response = provider.handleRequest(request)
        except ProtocolError as error:
            response = error
        encoded = provider.encodeResponse(response)
        body = encoded.body.encode()
        self.send_response(encoded.code)
        for name, value in encoded.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def sign_in(self, request, query):
        if not request.trustRootValid():
            raise ProtocolError(request.message, "return_to is not in the realm")
        identity = f"{self.server.root}/+id/{query['identifier']}"
        response = request.answer(True, identity=identity, claimed_id=identity)
        person = {"nickname": query["identifier"], "email": query["email"], "fullname": query.get("fullname", "")}
        if "language" in query:
            person["language"] = query["language"]
        requested = sreg.SRegRequest.fromOpenIDRequest(request)
        response.addExtension(sreg.SRegResponse.extractResponse(requested, person))
        return response

    def log_message(self, *_):
        """Suppressed: a request contains addresses."""


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.root = f"http://127.0.0.1:{server.server_port}"
    server.provider = Server(MemoryStore(), op_endpoint=f"{server.root}/+openid")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


main()
