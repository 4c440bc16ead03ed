"""The console says who it is by a token of the metadata server, made for the function alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scc_responder.adapters.google.access.id_tokens import GoogleIdentity
from tests.kits.google.issuer import Issuer
from tests.kits.google.metadata_server import MetadataServer

ROOT = Path(__file__).parents[4]
CONSOLE = "scc-responder-console@example-project.iam.gserviceaccount.com"
FUNCTION = "https://scc-responder.example.com"
PROGRAM = f"""
from scc_responder.entrypoint.console.own_id_token import own_id_token
from scc_responder.domain.errors import ApiError
try:
    print(own_id_token("{FUNCTION}"))
except ApiError as error:
    print(error.reason)
"""


def told(environment: dict[str, str]) -> str:
    """What comes of it in a process of its own: Google's library reads where the server is once."""
    given = {"PYTHONPATH": str(ROOT / "functions"), "PATH": os.environ["PATH"], **environment}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=given, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_token_is_for_the_function_and_names_the_console() -> None:
    """The function believes the token: it is made for it, and says the console's identity."""
    with Issuer() as issuer, MetadataServer(issuer, CONSOLE, {}) as server:
        token = told(server.environment)
        assert GoogleIdentity(FUNCTION, issuer.certs).email(token) == CONSOLE
        assert server.audiences == [FUNCTION]


def test_without_a_metadata_server_there_is_no_token() -> None:
    """Where nobody says who this is, that is said, and no token is made up."""
    nobody = {"GCE_METADATA_HOST": "127.0.0.1:9", "GCE_METADATA_IP": "127.0.0.1:9", "GCE_METADATA_DETECT_RETRIES": "1"}
    assert told(nobody) == "no_credentials"
