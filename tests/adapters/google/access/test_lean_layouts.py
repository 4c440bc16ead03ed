from __future__ import annotations

from pathlib import Path

import pytest

from tests.kits.google.interpreter import in_fresh_interpreter

LAYOUTS = {
    "as expected": {
        "__init__.py": "from .service import Client, AsyncClient",
        "service/__init__.py": "from .client import Client\nfrom .async_client import AsyncClient",
        "service/client.py": "from .rest import Rest\nclass Client:\n    kind = 'lean'\n    transport = Rest",
        "service/async_client.py": "class AsyncClient: pass",
        "service/rest.py": "class Rest:\n    name = 'rest'",
    },
    "the client moved": {
        "__init__.py": "from .elsewhere import Client",
        "elsewhere.py": "class Rest:\n    name = 'rest'\nclass Client:\n    kind = 'whole'\n    transport = Rest",
    },
    "the client is named otherwise in its module": {
        "__init__.py": "from .service.client import ClientV2 as Client",
        "service/__init__.py": "",
        "service/client.py": "from .rest import Rest\nclass ClientV2:\n    kind = 'whole'\n    transport = Rest",
        "service/rest.py": "class Rest:\n    name = 'rest'",
    },
    "a deferred class is derived from": {
        "__init__.py": "from .service.client import Client",
        "service/__init__.py": "",
        "service/client.py": "from .rest import Rest\nclass More(Rest): pass\n"
        "class Client:\n    kind = 'whole'\n    transport = More",
        "service/rest.py": "class Rest:\n    name = 'rest'",
    },
    "a deferred class is looked into": {
        "__init__.py": "from .service.client import Client",
        "service/__init__.py": "",
        "service/client.py": "from .rest import Rest\nRest.name\n"
        "class Client:\n    kind = 'whole'\n    transport = Rest",
        "service/rest.py": "class Rest:\n    name = 'rest'",
    },
    "a package became a module": {
        "__init__.py": "from .service import Client",
        "service.py": "class Rest:\n    name = 'rest'\nclass Client:\n    kind = 'whole'\n    transport = Rest",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_library_laid_out_otherwise_is_imported_whole(layout: str, tmp_path: Path) -> None:
    """An upgrade that moves a library's modules costs start-up time, never a start."""
    for name, source in LAYOUTS[layout].items():
        file = tmp_path / "thing_v1" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    script = """
import json
from scc_responder.adapters.google.access import lean_imports as lean
described = lean.Lean(
    package="thing_v1", name="Client", module="thing_v1.service.client",
    deferred=("thing_v1", "thing_v1.service", "thing_v1.service.rest", "thing_v1.service.async_client"),
)
client = lean.obtain(described)
import thing_v1
print(json.dumps([client.kind, client.transport.name, thing_v1.Client is client]))
"""
    kind = "lean" if layout == "as expected" else "whole"
    assert in_fresh_interpreter(script, tmp_path) == [kind, "rest", True]


def test_a_library_that_is_not_installed_is_an_import_error() -> None:
    """What is missing is named, as ever."""
    script = """
import json
from scc_responder.adapters.google.access import lean_imports as lean
try:
    lean.obtain(lean.Lean(package="no_such_library", name="Client", module="no_such_library.client"))
except ImportError as error:
    print(json.dumps(error.name))
"""
    assert in_fresh_interpreter(script) == "no_such_library"


def test_a_deferred_exception_class_matches_only_the_real_one(tmp_path: Path) -> None:
    """Whether an error is of a class that was not read yet is answered without reading it."""
    (tmp_path / "problems.py").write_text("class Problem(Exception): pass")
    (tmp_path / "uses.py").write_text(
        "from problems import Problem\ndef is_one(error): return isinstance(error, Problem)"
    )
    script = """
import json, sys
from scc_responder.adapters.google.access import lean_imports as lean
is_one = lean.obtain(lean.Lean(package="uses", name="is_one", module="uses", deferred=("problems",)))
before = is_one(ValueError())
unread = type(sys.modules["problems"]).__name__
from problems import Problem
print(json.dumps([before, unread, is_one(ValueError()), is_one(Problem())]))
"""
    assert in_fresh_interpreter(script, tmp_path) == [False, "_DeferredModule", False, True]
