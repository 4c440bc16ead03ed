"""Each change of a service's settings says all that its update asks of it."""

from __future__ import annotations

import inspect

import pytest

from scc_responder.domain.changes import ChangedObject, Disruption, change_classes
from scc_responder.domain.changes.cloud_run.scale_service import ScaleService
from scc_responder.domain.changes.cloud_run.service_change import ServiceChange
from scc_responder.domain.cloud_run.run_objects import RunScaling

ASKED = ("holds", "refusal", "fields", "judged")
OF_SETTINGS = sorted(tag for tag, kind in change_classes().items() if issubclass(kind, ServiceChange))


def test_it_is_about_the_service_whose_path_it_has() -> None:
    """Its target is bound to the UID that was read."""
    change = ScaleService(path="projects/p/locations/l/services/checkout", uid="u-1", prior=RunScaling())
    assert change.target == ChangedObject(kind="Service", name=change.path, uid="u-1")


def test_no_base_of_kinds_is_a_kind() -> None:
    """What a journal stores is a kind with a declaration of its own, and the base of these has none."""
    assert OF_SETTINGS == ["restart_service", "restrict_access", "scale_service", "shift_traffic"]
    assert ServiceChange not in change_classes().values()


@pytest.mark.parametrize("tag", OF_SETTINGS)
def test_each_kind_answers_what_an_update_asks(tag: str) -> None:
    """None is left to the base, which raises; and each counts as one that may make a service unavailable."""
    kind = change_classes()[tag]
    assert [name for name in ASKED if inspect.getattr_static(kind, name) is vars(ServiceChange)[name]] == []
    assert kind.declares.disrupts is Disruption.SERVICES
