"""A mail server that keeps what it is given, one file a message, and refuses what it is told to refuse.

`refuse/<recipient>` or `refuse/all` holds a reply ("451 4.3.0 later"): while the file is there, such mail is answered so;
`slow` in place of a reply never answers. `refused` has a line for each refusal. Nothing leaves the machine.
"""

import argparse
import asyncio
import itertools
import os
import signal
import ssl
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

LOOPBACK = "127.0.0.1"


class Keeper:
    """Answers for each recipient by the files in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count(1)
        for name in ("refuse", "mail"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    async def handle_RCPT(self, server, session, envelope, address, options):
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
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        name = f"{next(self.numbers):06}.eml"
        recipients = "".join(f"X-Envelope-To: {address}\r\n" for address in envelope.rcpt_tos)
        user = f"X-Login: {session.auth_data}\r\n" if session.auth_data else ""
        tls = "X-Tls: yes\r\n" if server.transport.get_extra_info("ssl_object") else ""
        part = self.folder / f".{name}"
        part.write_bytes((recipients + user + tls).encode() + envelope.original_content)
        # Whoever looks sees whole messages only.
        part.rename(self.folder / "mail" / name)
        return "250 2.0.0 kept"


async def serve(arguments: argparse.Namespace) -> None:
    keeper = Keeper(arguments.folder)
    tls = None
    if arguments.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(arguments.certificate, arguments.key)
    options = {"hostname": "localhost", "enable_SMTPUTF8": True}
    if arguments.login:
        user, _, password = arguments.login.partition(":")
        expected = (user.encode(), password.encode())

        def authenticate(_server, _session, _envelope, _mechanism, data):
            good = (data.login, data.password) == expected
            return AuthResult(success=good, handled=False, auth_data=user if good else None)

        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": arguments.starttls}
    starttls = {"tls_context": tls, "require_starttls": True} if arguments.starttls else {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeper, **options, **starttls),
        LOOPBACK,
        arguments.port,
        ssl=tls if tls and not arguments.starttls else None,
    )
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    port = server.sockets[0].getsockname()[1]
    ready = arguments.folder / ".port"
    ready.write_text(str(port))
    os.rename(ready, arguments.folder / "port")
    await stop.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where everything is kept")
    parser.add_argument("--port", type=int, default=0, help="0 finds one; the file `port` tells which")
    parser.add_argument("--certificate", type=Path, help="with it, connections are encrypted")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--starttls", action="store_true", help="encrypted only once the client asks for it")
    parser.add_argument("--login", help="USER:PASSWORD, without which nothing is taken")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
