"""A file of cases beside a policy: `x.test.yaml` says what `x.yaml` must and must not do.

policy: contain-malicious-library
cases:
  - name: A standalone pod is not deleted, for nothing would take its place
    finding: modified_malicious_library_loaded
    given: {pod: {owners: []}}
    expect: {then: [label_pod, "delete_pod: pod_standalone"]}

`finding` names FINDING.json in a folder of findings or its subfolders, or else a threat, of which a plain finding is
made. `with` changes what was found, in the words of `explain --format json`. What was read of the target is
FINDING.context.json beside it, with `given` merged over it. Null removes. `age` is how late the finding arrives, `at`
when. `then` lists every action in order: its name where it is planned, `name: reason` where it is not. Where `mode` is
given, it is the mode under the guardrails.

`together` names other policies that are decided with this one, as they would be. `order` are then the steps of all of
them that are planned, as `policy: action`, in the order in which they are carried out, each once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import StrictValue, between, resolved
from scc_responder.policy.guardrails import CALENDAR
from scc_responder.workbench.policy_files.mistakes import Fault, Mistake
from scc_responder.workbench.policy_files.strict_yaml import Document, open_document
from scc_responder.workbench.policy_files.type_mistakes import diagnose


class Expected(StrictValue, frozen=True, kw_only=True):
    """The expected result of a case: the policy's answer, and every one of its actions, no more and no fewer."""

    reason: str = Reason.MATCHED
    mode: Mode | None = None
    then: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


class Situation(StrictValue, frozen=True, kw_only=True, rename={"found": "with"}):
    """What a case is about: a finding, what was read of its target, and when it arrives. `name` is a sentence."""

    name: str
    finding: str
    found: dict[str, Any] = {}
    given: dict[str, Any] = {}
    age: Annotated[str, between("0s", "365d")] = "0s"
    at: Annotated[datetime, between(*CALENDAR)] | None = None


class PolicyCase(Situation, frozen=True, kw_only=True):
    """One case of a policy."""

    together: tuple[str, ...] = ()
    expect: Expected


class CaseFile(StrictValue, frozen=True, kw_only=True):
    """A `.test.yaml` file."""

    policy: str
    cases: tuple[PolicyCase, ...]


class GuardrailsExpected(StrictValue, frozen=True, kw_only=True):
    """What the guardrails make of a case: every action of it, the mode, and by the name of what it is lowered."""

    then: tuple[str, ...]
    mode: Mode | None = None
    lowered_by: str = ""


class GuardrailsCase(Situation, frozen=True, kw_only=True):
    """One case of the guardrails: what holds actions that some policy would `do` in this `mode`.

    `times` is how many such findings come within a minute, each about another pod: what is expected is of the last.
    """

    do: tuple[str, ...]
    mode: Mode = Mode.ENFORCE
    times: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    expect: GuardrailsExpected


class GuardrailsCaseFile(StrictValue, frozen=True, kw_only=True):
    """`guardrails.test.yaml`: what the guardrails hold, whatever a policy says."""

    cases: tuple[GuardrailsCase, ...]


class ReadCase(msgspec.Struct, frozen=True, kw_only=True):
    """One case of a file: its place in it, its name as far as it has one, and either the case or what is wrong."""

    index: int
    name: str
    case: Any = None
    faults: tuple[Fault, ...] = ()


class OpenedCases:
    """A file of cases of which one may be wrong without costing the others."""

    def __init__(self, document: Document, wanted: type[CaseFile | GuardrailsCaseFile]) -> None:
        self._document = document
        self._wanted = wanted
        self.file = document.name
        raw = document.data.get("cases") if isinstance(document.data, dict) else None
        self._raw: Sequence[Any] = raw if isinstance(raw, list) else ()
        self.faults: tuple[Fault, ...] = ()
        try:
            right = document.converted(wanted).cases
        except PolicyError:
            self.cases = self._one_by_one()
        else:
            self.cases = tuple(ReadCase(index=index, name=case.name, case=case) for index, case in enumerate(right))

    def told(self, index: int, mistakes: Iterable[Mistake]) -> tuple[Fault, ...]:
        """The mistakes in a case, whose places are those in it, with file and line."""
        placed = (msgspec.structs.replace(each, path=("cases", index, *each.path)) for each in mistakes)
        return self._told(placed)

    def header(self, field: str) -> Any:
        """What stands under a key at the top; None where nothing does."""
        return self._document.data.get(field) if isinstance(self._document.data, dict) else None

    def _one_by_one(self) -> tuple[ReadCase, ...]:
        """The cases of a file in which something is wrong; what is in no case is a fault of the file."""
        data = self._document.data
        mistakes = list(diagnose(data, self._wanted)) if isinstance(data, dict) else [_NO_MAPPING]
        self.faults = self._told(mistake for mistake in mistakes if self._index(mistake) is None)
        return tuple(self._case(index, mistakes) for index in range(len(self._raw)))

    def _case(self, index: int, mistakes: Iterable[Mistake]) -> ReadCase:
        raw = self._raw[index]
        named = raw.get("name") if isinstance(raw, dict) else None
        name = named if isinstance(named, str) else f"case {index + 1}"
        own = [mistake for mistake in mistakes if self._index(mistake) == index]
        if own:
            return ReadCase(index=index, name=name, faults=self._told(own))
        try:
            return ReadCase(index=index, name=name, case=msgspec.convert(raw, resolved(_case_type(self._wanted))))
        except msgspec.ValidationError as error:
            faults = self._told([Mistake(path=("cases", index), text=str(error))])
            return ReadCase(index=index, name=name, faults=faults)

    def _told(self, mistakes: Iterable[Mistake]) -> tuple[Fault, ...]:
        return tuple(sorted(map(self._document.fault, mistakes), key=lambda fault: fault.line))

    @staticmethod
    def _index(mistake: Mistake) -> int | None:
        in_case = len(mistake.path) > 1 and mistake.path[0] == "cases" and isinstance(mistake.path[1], int)
        return int(mistake.path[1]) if in_case else None


_NO_MAPPING = Mistake(text="no case stands in it; write policy: and cases:, or remove the file")


def _case_type(wanted: type) -> type:
    """The type of one case in a type of files."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(resolved(wanted))}
    return kinds["cases"].__args__[0]  # type: ignore[no-any-return]


def open_cases(path: Path, name: str, wanted: type[CaseFile | GuardrailsCaseFile] = CaseFile) -> OpenedCases:
    """The cases of a file, each right or wrong by itself. Raises PolicyError where it is no YAML at all."""
    return OpenedCases(open_document(path, name), wanted)
