"""One delivery as a program of its own, which prints how it ended and its peak memory: URL TOKEN FOLDER.

The folder holds `finding.json`, the notification, and `ca.pem`, empty where the cluster is reached without TLS.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from tests.kits.responder import ALL, Deployment, policy, write_policies


def peak() -> int:
    """The most memory that this process has held, in MiB. `ru_maxrss` begins with what its parent held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def main(url: str, token: str, folder: Path) -> None:
    """Deliver the notification once."""
    api = connect(url, (folder / "ca.pem").read_bytes() or None, lambda: token)
    deployment = Deployment(folder, api, write_policies(folder / "policies", policy(*ALL)))
    document = json.loads((folder / "finding.json").read_bytes())
    before, began = peak(), time.monotonic()
    ending = deployment.respond_to(document)
    steps = {f"{step.action}: {step.reason}": step.detail for step in deployment.case(document).steps}
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"reason": ending.reason, "steps": steps, "mebibytes": [before, peak()], "seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
