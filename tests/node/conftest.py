"""A real node for the tests of this folder: one in each process that runs some."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.binaries import BinariesUnavailable
from tests.node import real_node as nodes
from tests.node.held_machine import machine_held
from tests.node.looks import offer_collector
from tests.node.packages import NodeUnavailable
from tests.node.real_node import Node
from tests.requirements import missing

PROGRAMS = pytest.StashKey[dict[str, Path] | NodeUnavailable | BinariesUnavailable]()
NEEDS_NODE = {"node_programs", "real_node"}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the node's programs before the first test, whose time-out is shorter than that takes."""
    wanted = any(NEEDS_NODE & set(getattr(item, "fixturenames", ())) for item in session.items)
    if wanted and not session.config.option.collectonly:
        try:
            session.config.stash[PROGRAMS] = nodes.programs()
        except (NodeUnavailable, BinariesUnavailable) as error:
            session.config.stash[PROGRAMS] = error


@pytest.fixture(scope="session")
def node_programs(pytestconfig: pytest.Config) -> dict[str, Path]:
    """What a node is made of."""
    found = pytestconfig.stash[PROGRAMS]
    if isinstance(found, NodeUnavailable | BinariesUnavailable):
        missing("the real node", found.reason, found.remedy)
    return found


@pytest.fixture(scope="package")
def real_node(node_programs: dict[str, Path]) -> Iterator[Node]:
    """A node that runs, with its own API server, until the last test here: it takes a fifth of a processor."""
    with ExitStack() as stack:
        with machine_held(alone=False):
            node = stack.enter_context(nodes.running(node_programs))
        yield node
        with machine_held(alone=False):
            stack.close()


@pytest.fixture(scope="package")
def collector(real_node: Node, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The collector's image, which the node may pull and its admission policy lets in."""
    try:
        return offer_collector(real_node, tmp_path_factory.mktemp("collector"))
    except BinariesUnavailable as error:
        missing("the collector", error.reason, error.remedy)
