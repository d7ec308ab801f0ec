"""An OpenID Connect provider: canaille with its memory backend. Prints its port, and serves on loopback until its input ends.

`canaille_provider.py SETTINGS`, with JSON: `client_id`, `client_secret`, `redirect_uri` (`{port}` in it becomes the port of
the provider), and `users`: addresses by user name, which is the subject. Everybody's password is `password`.
"""

import datetime
import json
import sys
import threading

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server


def main():
    # Bound first: links, issuer and redirect URIs contain the port.
    server = make_server("127.0.0.1", 0, None, threaded=True)
    settings = json.loads(sys.argv[1].replace("{port}", str(server.server_port)))
    host = f"127.0.0.1:{server.server_port}"
    key = RSAKey.generate_key(2048, {"kid": "one"}).as_dict(private=True)
    app = create_app(
        {
            "SECRET_KEY": "not-a-secret",
            "SERVER_NAME": host,
            "PREFERRED_URL_SCHEME": "http",
            "SESSION_COOKIE_SECURE": False,
            "CANAILLE": {"DATABASE": "memory", "LOGGING": {"version": 1, "disable_existing_loggers": True}},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key]},
        },
        init_backend=True,
    )
    with app.app_context():
        now = datetime.datetime.now(datetime.timezone.utc)
        for name, address in settings["users"].items():
            user = models.User(
                user_name=name, family_name=name, formatted_name=name, emails=[address], password="password"
            )
            Backend.instance.save(user)
        client = models.Client(
            client_id=settings["client_id"],
            client_id_issued_at=now,
            client_secret=settings["client_secret"],
            client_secret_expires_at=now + datetime.timedelta(days=1),
            client_name="Membermail",
            client_uri="http://site.example",
            redirect_uris=[settings["redirect_uri"]],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "email", "profile", "groups"],
            token_endpoint_auth_method="client_secret_basic",
            # RS512 by default.
            id_token_signed_response_alg="RS256",
        )
        Backend.instance.save(client)
        # Empty by default, and with it the `aud` of ID tokens.
        client.audience = [client]
        Backend.instance.save(client)
    server.app = app
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


main()
