"""Keys that fail, and objects in memory, for tests of signed evidence."""

from __future__ import annotations


class BrokenSigner:
    """`ports.Signer` that raises this whenever it is asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.key_id = "gcpkms://broken"
        self.asked: list[bytes] = []

    def sign(self, digest: bytes) -> bytes:
        self.asked.append(digest)
        raise self.error


class StoredObjects:
    """`ports.Evidence` in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> bool:
        if name in self.objects:
            return False
        self.objects[name] = content
        return True
