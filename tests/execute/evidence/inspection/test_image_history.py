"""The history of an image tells which files and packages it was made with, however its builder writes it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.execute.evidence.inspection.image_history import ImageHistory, history_of, time_of

AT = "2026-02-01T10:00:00.123456789Z"
MADE = datetime(2026, 2, 1, 10, 0, 0, 123456, tzinfo=UTC)


def history(*lines: str, created: str = AT) -> ImageHistory:
    """An image whose layers were made by these lines."""
    return history_of(
        {"config": {"created": created, "history": [{"created": AT, "created_by": line} for line in lines]}}
    )


COPIES = {
    "buildkit": (["COPY web /app/web # buildkit"], "/app/web"),
    "buildkit into a folder": (["COPY build/web cfg/a.yaml /app/ # buildkit"], "/app/web"),
    "into the folder of before": (["WORKDIR /srv", "COPY web . # buildkit"], "/srv/web"),
    "a relative place": (["WORKDIR /srv", "WORKDIR app", "COPY x bin/web # buildkit"], "/srv/app/bin/web"),
    "from another stage": (["COPY --from=build --chown=0:0 /go/bin/web /usr/bin/web # buildkit"], "/usr/bin/web"),
    "the older builder": (["/bin/sh -c #(nop) COPY file:0d85ab in /app/web "], "/app/web"),
    "the older builder adds": (["/bin/sh -c #(nop) ADD file:0d85ab in / ", "/bin/sh -c #(nop) ADD file:1 in /x"], "/x"),
}
NOT_COPIED = {
    "a folder": (["COPY . /app # buildkit"], "/app/web"),
    "a hash": (["/bin/sh -c #(nop) COPY file:0d85ab in /app/ "], "/app/file:0d85ab"),
    "another file": (["COPY web /app/web # buildkit"], "/app/web2"),
    "a line that only says so": (["RUN /bin/sh -c echo COPY web /tmp/x"], "/tmp/x"),
    "a word alone": (["COPY /tmp/x"], "/tmp/x"),
    "a shell's word": (["/bin/sh -c COPY web /tmp/x"], "/tmp/x"),
    "a shell's comment": (["/bin/sh -c echo a #(nop) COPY web /tmp/x"], "/tmp/x"),
    "an option": (["COPY --from=stage/x y /tmp/"], "/tmp/x"),
    "the folder itself": (["COPY . /app/ # buildkit"], "/app"),
    "its own words": (["COPY in in", "ADD", "WORKDIR"], "/in"),
    "nothing": ([], "/tmp/x"),
}


@pytest.mark.parametrize(("lines", "path"), COPIES.values(), ids=COPIES)
def test_a_copied_file_is_found(lines: list[str], path: str) -> None:
    """By the very path that it comes to stand at."""
    assert history(*lines).has_file(path)


@pytest.mark.parametrize(("lines", "path"), NOT_COPIED.values(), ids=NOT_COPIED)
def test_what_no_line_names_is_not_found(lines: list[str], path: str) -> None:
    """A folder may hold it, or not: nobody can tell by the line."""
    assert not history(*lines).has_file(path)


INSTALLED = {
    "apt": ("RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends curl gcc # buildkit", "gcc"),
    "with a version": ("/bin/sh -c apt-get -y install gcc-12=12.2.0-14 ca-certificates", "gcc-12"),
    "by its other name": ("RUN /bin/sh -c apt-get install -y gcc # buildkit", "gcc-12"),
    "what brings it": ("RUN /bin/sh -c apk add --no-cache build-base", "gcc"),
    "apk": ("RUN /bin/sh -c apk --no-cache add clang~18 && rm -rf /x", "clang"),
    "microdnf": ("RUN microdnf -y install gcc-c++ && microdnf clean all", "gcc-c++"),
    "over lines": ("RUN /bin/sh -c apt-get install -y \\\n    curl \\\n    gcc", "gcc"),
    "by its full path": ("RUN /usr/bin/apt-get -qq install gcc", "gcc"),
    "of an architecture": ("RUN apt install gcc:amd64", "gcc"),
}
NOT_INSTALLED = {
    "a word of another command": ("RUN /bin/sh -c apt-get install -y curl && echo gcc", "gcc"),
    "removed": ("RUN /bin/sh -c apt-get remove -y gcc", "gcc"),
    "a part of a name": ("RUN apt-get install -y libgcc-s1", "gcc"),
    "pip": ("RUN pip install gcc", "gcc"),
    "no package": ("RUN apt-get install -y gcc", ""),
}


@pytest.mark.parametrize(("line", "package"), INSTALLED.values(), ids=INSTALLED)
def test_an_installed_package_is_found(line: str, package: str) -> None:
    """With the time of its line."""
    assert history("CMD x", line).installed_at(package) == (True, MADE)


@pytest.mark.parametrize(("line", "package"), NOT_INSTALLED.values(), ids=NOT_INSTALLED)
def test_another_word_installs_nothing(line: str, package: str) -> None:
    """Only what follows the command of a package manager."""
    assert history(line).installed_at(package) == (False, None)


def test_the_last_time_is_when_it_was_made() -> None:
    """Of its lines and its own; a time that says nothing is none."""
    assert history("CMD x", created="2026-02-03T00:00:00Z").made_at == datetime(2026, 2, 3, tzinfo=UTC)
    assert history("CMD x", created="1970-01-01T00:00:00Z").made_at == MADE
    assert history_of({"config": {"created": "0001-01-01T00:00:00Z"}}).made_at is None


@pytest.mark.parametrize("config", [None, [], {"history": 7}, {"history": [7, {"created": 7, "created_by": None}]}])
def test_what_cannot_be_read_says_nothing(config: Any) -> None:
    """Whoever pushed the image may write anything there."""
    found = history_of({"config": config})
    assert (found.made_at, found.has_file("/tmp/x"), found.installed_at("gcc")) == (None, False, (False, None))


def test_a_time_is_one_or_none() -> None:
    """As RFC 3339 has it."""
    assert time_of(AT) == MADE
    assert [time_of(text) for text in ("", None, "yesterday", 7, "0001-01-01T00:00:00+14:00")] == [None] * 5


HOSTILE = [
    "apt " * 500_000,
    "apt-get install " + "x " * 500_000,
    "COPY " + " " * 2_000_000 + "x",
    "COPY " + "x " * 500_000 + "/tmp/",
    "WORKDIR " + "a/" * 500_000,
    "/bin/sh -c #(nop)" * 100_000,
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_a_long_line_takes_no_long_time(line: str) -> None:
    """Whoever pushed an image may have made it to keep us busy: the time grows as the line does."""
    began = time.process_time()
    found = history(line, *["COPY a b c # buildkit"] * 999)
    assert (found.has_file("/tmp/x"), found.installed_at("gcc")[0]) == ("x " * 9 in line and "/tmp/" in line, False)
    assert time.process_time() - began < 5
