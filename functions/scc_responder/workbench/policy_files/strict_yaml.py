"""Read the YAML that people write, strictly: no anchors, tags or repeated keys, bounded in size and depth.

All mistakes of a file are reported at once, each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.value import resolved
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Fault, Mistake, refusal, written

MAX_FILE_BYTES = 256 * 1024
MAX_DEPTH = 20
_HINTS = {
    "mapping values are not allowed": "put a text with ': ' in it in quotes, and indent alike what belongs together",
    "found character that cannot start any token": "indent with spaces, and put a text that begins so in quotes",
    "found unexpected end of stream": "close the quote",
    "did not find expected alphabetic or numeric character": "put a text that begins with * or & in quotes",
    "did not find expected key": "indent alike what belongs together, and put a text with ': ' or quotes in quotes",
    "did not find expected ',' or ']'": "close the list with ]",
    "did not find expected ',' or '}'": "close the braces with }",
    "could not find expected ':'": "write 'key: value', with a space after the colon",
    "did not find expected node content": "close the list with ]",
}
"""How to fix what libyaml's messages report."""

_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML's reader takes for no text at all."""

_T = TypeVar("_T")


_ANCHOR = "anchors and aliases are not allowed; write the value out; put a text that begins with * or & in quotes"


class Document:
    """One YAML file as plain data, with the line of each part; lines are computed when first needed."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.data = load_yaml(text, name)

    def converted(self, wanted: type[_T], check: Callable[[_T], Iterable[Mistake]] = lambda _: ()) -> _T:
        """The content as `wanted`. Raises PolicyError that names every mistake, those that `check` finds too."""
        if self.data is None:
            raise self._refusal([Mistake(text="nothing stands in it; write it, or remove the file")])
        try:
            value = msgspec.convert(self.data, resolved(wanted))
        except msgspec.ValidationError as error:
            found = self._diagnosed(wanted, check) or [Mistake(text=str(error))]
            raise self._refusal(found) from error
        # A key without a value would be taken for one that is not there: a condition the less.
        mistakes = (self._diagnosed(wanted, check) if _has_gap(self.data) else []) or list(check(value))
        if mistakes:
            raise self._refusal(mistakes)
        return value

    def _diagnosed(self, wanted: type[_T], check: Callable[[_T], Iterable[Mistake]]) -> list[Mistake]:
        """The mistakes of types, and those that `check` finds in the parts without any."""
        from scc_responder.workbench.policy_files.type_mistakes import diagnose, repaired  # noqa: PLC0415 - only a mistake needs it

        mistakes = list(diagnose(self.data, wanted))
        if not mistakes:
            return []
        try:
            rest = msgspec.convert(repaired(self.data, wanted, mistakes), resolved(wanted))
        except msgspec.ValidationError:
            return mistakes
        further = [found for found in check(rest) if not any(_overlap(found.path, told.path) for told in mistakes)]
        return [*mistakes, *further]

    def _refusal(self, mistakes: Iterable[Mistake]) -> PolicyError:
        return refusal(sorted(map(self.fault, mistakes), key=lambda fault: fault.line))

    def fault(self, mistake: Mistake) -> Fault:
        """The mistake with its file and line."""
        return Fault(
            file=self.name,
            line=self._line(mistake),
            path=written(mistake.path),
            text=mistake.text,
            reason=mistake.reason,
            detail=mistake.detail,
        )

    def _line(self, mistake: Mistake) -> int:
        """The line of the place, or of what should hold it."""
        path = mistake.path
        while path and path not in self._places:
            path = path[:-1]
        line, is_block = self._places.get(path, (1, False))
        return line + mistake.row if is_block and path == mistake.path else line

    @cached_property
    def _places(self) -> dict[DocumentPath, tuple[int, bool]]:
        """The line of every key and list item, and whether a text whose lines are kept (`|`) stands there."""
        import yaml  # noqa: PLC0415 - only a mistake needs it

        node = yaml.compose(self.text, Loader=_loader())
        return dict(_places(node, ())) if node else {}


def read_document(
    path: Path, wanted: type[_T], check: Callable[[_T], Iterable[Mistake]] = lambda _: (), name: str = ""
) -> _T:
    """The file's content as `wanted`. Raises PolicyError that names file, line, place and remedy of each mistake."""
    return open_document(path, name).converted(wanted, check)


def open_document(path: Path, name: str = "") -> Document:
    """The file as plain data, under the name that mistakes are told with: its own, or one given. Raises PolicyError."""
    told = name or path.name
    return _parsed(told, _read(path, told))


@lru_cache(maxsize=4096)
def _parsed(name: str, text: str) -> Document:
    """Several checks ask for one file: it is parsed once."""
    return Document(name, text)


def load_yaml(text: str, name: str) -> Any:
    """The YAML document as plain data. Raises PolicyError with the line of each thing that is not allowed."""
    import yaml  # noqa: PLC0415 - 40 ms that a duplicate's answer need not wait for

    faults: list[Fault] = []
    try:
        data = _Builder(name, yaml.parse(text, Loader=_loader()), faults).document()
    except yaml.YAMLError as error:
        faults.append(_syntax(error, name, text))
    if faults:
        raise refusal(faults)
    return data


def _loader() -> Any:
    import yaml  # noqa: PLC0415 - as above

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read(path: Path, name: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _whole(name, "unreadable_file", str(error.strerror)) from error
    if len(content) > MAX_FILE_BYTES:
        raise _whole(name, "file_too_large", f"{len(content)} bytes, at most {MAX_FILE_BYTES} are read; split it up")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _whole(name, "not_utf8", f"not UTF-8 at byte {error.start}; save it as UTF-8", line) from error


def _whole(name: str, reason: str, text: str, line: int = 0) -> PolicyError:
    return refusal([Fault(file=name, line=line, text=text, reason=reason)])


def _syntax(error: Any, name: str, text: str) -> Fault:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        sign = _NOT_TEXT.search(text)
        if sign:
            told = f"the control character U+{ord(sign[0]):04X} is not allowed; remove it"
            return Fault(file=name, line=text.count("\n", 0, sign.start()) + 1, text=told, reason="invalid_yaml")
        return Fault(file=name, text=f"no YAML: {' '.join(str(error).split())}", reason="invalid_yaml")
    hint = next((f"; {fix}" for start, fix in _HINTS.items() if problem.startswith(start)), "")
    where = f"column {mark.column + 1}: " if mark.column else ""
    return Fault(file=name, line=mark.line + 1, text=f"no YAML: {where}{problem}{hint}", reason="invalid_yaml")


class _Builder:
    """Plain data from a parser's events, in one pass; what is not allowed is noted, and None stands in its place."""

    def __init__(self, name: str, events: Iterator[Any], faults: list[Fault]) -> None:
        self._name = name
        self._events = events
        self._faults = faults
        self._scalars = _loader()("")

    def document(self) -> Any:
        """The one document; None where there is none."""
        next(self._events)  # the stream's start
        start = next(self._events)
        if type(start).__name__ == "StreamEndEvent":
            return None
        data = self._value(next(self._events), 0)
        next(self._events)  # the document's end
        after = next(self._events)
        if type(after).__name__ != "StreamEndEvent":
            self._note(after, "invalid_yaml", "a second document begins here; a file holds one")
        return data

    def _value(self, event: Any, depth: int) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent" or event.anchor:
            self._note(event, "yaml_anchor", _ANCHOR)
        elif event.tag:
            self._note(event, "yaml_tag", f"the tag {event.tag} is not allowed; remove it")
        if kind == "AliasEvent":
            return None
        if kind == "ScalarEvent":
            return self._scalar(event)
        if depth > MAX_DEPTH:
            self._note(event, "yaml_too_deep", f"nested deeper than {MAX_DEPTH}")
            raise refusal(self._faults)
        return self._mapping(depth) if kind == "MappingStartEvent" else self._sequence(depth)

    def _scalar(self, event: Any) -> Any:
        if event.tag or not event.implicit[0]:
            return event.value
        import yaml  # noqa: PLC0415 - as above

        tag = self._scalars.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag == "tag:yaml.org,2002:str":
            return event.value
        try:
            value = self._scalars.construct_object(yaml.ScalarNode(tag, event.value))
            return event.value if tag.endswith(":timestamp") else value  # each type reads its own form of time
        except (ValueError, yaml.YAMLError):  # a date or number that is none, a lone "=" or "<<"
            kind = tag.rpartition(":")[2]
            if kind not in {"timestamp", "int", "float"}:
                return event.value
            self._note(event, "invalid_yaml", f"{event.value!r} is no {kind}; if it is a text, put it in quotes")
            return None

    def _sequence(self, depth: int) -> list[Any]:
        items = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._key(event, depth)
            if key in mapping:
                self._note(event, "duplicate_key", f"{key!r} stands here twice; remove one")
            mapping[key] = self._value(next(self._events), depth + 1)
        return mapping

    def _key(self, event: Any, depth: int) -> str:
        if type(event).__name__ == "ScalarEvent":
            if event.tag or event.anchor:
                self._value(event, depth)
            return str(event.value)
        self._note(event, "yaml_key", "a key must be a word")
        self._value(event, depth + 1)
        return ""

    def _note(self, event: Any, reason: str, text: str) -> None:
        line = event.start_mark.line + 1
        self._faults.append(Fault(file=self._name, line=line, text=text, reason=reason))


def _overlap(one: DocumentPath, other: DocumentPath) -> bool:
    """Whether one place is within the other."""
    return all(left == right for left, right in zip(one, other, strict=False))


def _has_gap(data: Any) -> bool:
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return data is None or any(map(_has_gap, parts))


def _places(node: Any, path: DocumentPath) -> Iterator[tuple[DocumentPath, tuple[int, bool]]]:
    if node.id == "mapping":
        for key, value in node.value:
            yield (*path, key.value), (key.start_mark.line + 1, getattr(value, "style", None) == "|")
            yield from _places(value, (*path, key.value))
    elif node.id == "sequence":
        for index, item in enumerate(node.value):
            yield (*path, index), (item.start_mark.line + 1, False)
            yield from _places(item, (*path, index))
