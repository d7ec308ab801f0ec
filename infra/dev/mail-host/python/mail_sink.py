"""An SMTP server for tests: stores every received mail, and refuses recipients on request.

The folder contains:
- `mail/000001.eml`, a received mail, and `mail/000001.json`, its envelope;
- `refuse/<recipient>` or `refuse/all`, the reply to such a recipient ("451 4.3.0 try later"), or "slow" to delay the
  reply by an hour. Tests create and remove these files;
- `refuse-data/<recipient>`, the reply to a mail for such a recipient, after its data;
- `refused`, a line for each refusal;
- `without-8bitmime`, a file that tests create so that the server offers neither 8BITMIME nor SMTPUTF8.
"""

import argparse
import asyncio
import itertools
import json
import signal
import ssl
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

LOOPBACK = "127.0.0.1"


class Server(SMTP):
    """Accepts lines of more than 998 octets, as many servers do, so that tests see lines as they were sent."""

    line_length_limit = 1_000_000


class Handler:
    """Handles the recipients and mails of all connections."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("refuse", "refuse-data", "mail"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        # After a restart, the numbers continue.
        self.numbers = itertools.count(1 + sum(1 for _ in (folder / "mail").glob("*.eml")))

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if (self.folder / "without-8bitmime").exists():
            # SMTPUTF8 includes it (RFC 6531, 3.1).
            responses = [line for line in responses if line not in ("250-8BITMIME", "250-SMTPUTF8")]
        return responses

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        for name in (address, "all"):
            try:
                reply = (self.folder / "refuse" / name).read_text().strip()
            except FileNotFoundError:
                continue
            with (self.folder / "refused").open("a") as log:
                log.write(f"{address} {reply}\n")
            if reply == "slow":
                await asyncio.sleep(3600)
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        for address in envelope.rcpt_tos:
            try:
                return (self.folder / "refuse-data" / address).read_text().strip()
            except FileNotFoundError:
                continue
        number = f"{next(self.numbers):06}"
        details = {
            "sender": envelope.mail_from.removeprefix("<>"),
            "recipients": envelope.rcpt_tos,
            "login": session.auth_data,
            "is_tls": server.transport.get_extra_info("ssl_object") is not None,
        }
        folder = self.folder / "mail"
        (folder / f"{number}.json").write_text(json.dumps(details))
        # Renamed when complete, because readers look for `.eml` files at any time.
        unfinished = folder / f"{number}.part"
        unfinished.write_bytes(envelope.original_content)
        unfinished.rename(folder / f"{number}.eml")
        return "250 2.0.0 Message stored"


async def serve(arguments: argparse.Namespace) -> None:
    handler = Handler(arguments.folder)
    options: dict[str, Any] = {"hostname": "localhost", "enable_SMTPUTF8": True}
    if arguments.max_bytes:
        options["data_size_limit"] = arguments.max_bytes
    context = None
    if arguments.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.certificate)
    if arguments.tls in ("optional", "required"):
        options |= {"tls_context": context, "require_starttls": arguments.tls == "required"}
    if arguments.login:
        user, _, password = arguments.login.partition(":")
        expected = (user.encode(), password.encode())

        def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
            is_valid = (data.login, data.password) == expected
            return AuthResult(success=is_valid, handled=False, auth_data=user if is_valid else None)

        # aiosmtpd does not count implicit TLS as TLS here.
        require_tls = arguments.tls == "required"
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": require_tls}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(handler, **options),
        LOOPBACK,
        arguments.port,
        ssl=context if arguments.tls == "implicit" else None,
    )
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of received mails and refusals")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls", choices=("implicit", "optional", "required"), help="the last two use STARTTLS")
    parser.add_argument("--certificate", type=Path, help="PEM file with key and certificate, for --tls")
    parser.add_argument("--login", metavar="USER:PASSWORD", help="reject mail without this login")
    parser.add_argument("--max-bytes", type=int, help="maximum size of a mail")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
