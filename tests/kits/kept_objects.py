"""Evidence that is kept in memory."""

from __future__ import annotations

from threading import Lock


class KeptObjects:
    """`ports.Evidence` in memory. `largest` is the size of the largest object that was put, in bytes.

    With `forgetful` it keeps the sizes alone: for tests of memory.
    """

    def __init__(self, *, forgetful: bool = False) -> None:
        self.objects: dict[str, bytes] = {}
        self.sizes: dict[str, int] = {}
        self.error: Exception | None = None
        self._forgetful = forgetful
        self._lock = Lock()

    @property
    def largest(self) -> int:
        """The size of the largest object."""
        return max(self.sizes.values(), default=0)

    def put(self, name: str, content: bytes) -> bool:
        """Keep it, unless one of that name is there."""
        if self.error:
            raise self.error
        with self._lock:
            is_new = name not in self.sizes
            if is_new:
                self.sizes[name] = len(content)
                self.objects[name] = b"" if self._forgetful else content
        return is_new
