"""Identity-Aware Proxy before a service on this machine: it takes out what it alone may say, and says who came."""

from __future__ import annotations

from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler

from scc_responder.entrypoint.console.behind_iap import IAP_HEADER
from tests.kits.google.iap import LocalIap
from tests.kits.loopback_server import LoopbackServer


class IapProxy(LoopbackServer):
    """From `with` until its end. `visitor` is who signed in; empty, nobody did, and IAP lets nobody in."""

    def __init__(self, iap: LocalIap, port: int) -> None:
        self.visitor = ""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def _pass(self) -> None:
                if not proxy.visitor:
                    self.send_response(302)
                    self.send_header("Location", "https://accounts.google.com/o/oauth2/v2/auth")
                    self.end_headers()
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("x-goog")}
                headers[IAP_HEADER] = iap.assertion(proxy.visitor)
                connection = HTTPConnection("127.0.0.1", port, timeout=150)
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _pass  # noqa: N815 - names that the server calls

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        super().__init__(Handler)

    @property
    def url(self) -> str:
        """Where a browser goes to."""
        return f"http://{self.endpoint}"
