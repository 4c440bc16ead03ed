"""What a case keeps of the looks at what it did: is it still so? Pure."""

from __future__ import annotations

from scc_responder.domain.value import AwareDatetime, Value

KEEP_LOOKS = 12
MOST_GONE = 10


class Replacement(Value, frozen=True, kw_only=True):
    """The newest pod that a workload has besides the case's own: its name, whether it is ready, its images' digests.

    `same_image`: it runs an image that the finding names.
    """

    name: str = ""
    ready: bool = False
    digests: tuple[str, ...] = ()
    same_image: bool = False

    def __str__(self) -> str:
        """What people read of it."""
        if not self.name:
            return "no replacement"
        images = f", from {', '.join(self.digests)}" if self.digests else ""
        before = ", the finding's own image" if self.same_image else ""
        return f"replacement {self.name} {'ready' if self.ready else 'not ready'}{images}{before}"


class LookNote(Value, frozen=True, kw_only=True):
    """What a look saw and left to people, or what it cannot see: of what (`about`), the reason, and more in words."""

    about: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        """What people read of it."""
        return f"{self.about}: {self.reason}{f', {self.detail}' if self.detail else ''}"


class Look(Value, frozen=True, kw_only=True):
    """One look.

    `gone` names each effect that others took away, as `action: reason`. `noted` is what is left to people, `unseen`
    what of the containment this look could not see, and why. `unread` is the reason for which the look could not be
    made, and `detail` says more of it. `replacement` is None where none is expected, `instances` where nobody counted
    those of what was retired on Cloud Run. `same_threat` are the ids of other cases of this threat on this workload,
    `same_image` those of other workloads that ran its image.
    """

    at: AwareDatetime
    gone: tuple[str, ...] = ()
    noted: tuple[LookNote, ...] = ()
    unseen: tuple[LookNote, ...] = ()
    unread: str = ""
    detail: str = ""
    replacement: Replacement | None = None
    instances: int | None = None
    same_threat: tuple[str, ...] = ()
    same_image: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What it saw in one line, for people."""
        if self.unread:
            return f"not seen: {self.unread}"
        said = [f"others took away {', '.join(self.gone)}" if self.gone else "as it was left"]
        said += [str(note) for note in self.noted]
        said += ["no instance runs"] if self.instances == 0 else []
        if self.replacement:
            said.append(str(self.replacement))
        said += [f"same threat beside it: {', '.join(self.same_threat)}"] if self.same_threat else []
        said += [f"same image elsewhere: {', '.join(self.same_image)}"] if self.same_image else []
        return "; ".join(said)


class Watch(Value, frozen=True, kw_only=True):
    """When a case is looked at. `since`: the last change that it watches. `next_at`: None where no look is left.

    `unread` counts the looks in a row that could not be made.
    """

    since: AwareDatetime
    next_at: AwareDatetime | None = None
    unread: int = 0
    looks: tuple[Look, ...] = ()

    @property
    def unseen(self) -> tuple[LookNote, ...]:
        """What the last look that was made could not see."""
        return next((look.unseen for look in reversed(self.looks) if not look.unread), ())
