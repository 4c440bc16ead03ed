"""Notifiers are found by name, and one that fails keeps no other from telling."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scc_responder.adapters import notifiers
from scc_responder.adapters.notifiers import NotifierGroup, check_notifiers, open_notifiers, open_receiver
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from tests.kits.settings import local_settings

NOTICE = Notice(kind=NoticeKind.BREAKER, severity=NoticeSeverity.ERROR, reason="storm_breaker", facts={})
DOWN = ApiError("chat_unavailable", "not now", status=503)
CHAT = """
class Chat:
    def __init__(self, path):
        self.path = path

    def tell(self, notice):
        with open(self.path, "ab") as file:
            file.write(notice.message + b"\\n")
        return "chat-1"


def notifier(settings):
    path = settings.notifier_options["chat"].get("file")
    return Chat(path) if path else None
"""


class Telling:
    """`ports.Notifier` that answers this."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.told: list[Notice] = []

    def tell(self, notice: Notice) -> str:
        self.told.append(notice)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


GROUPS = {
    "all-well": (("1", "2", "3"), "1", []),
    "another-is-down": (("1", DOWN, "3"), "1", [("b", DOWN)]),
    "a-mistake-in-another": (("1", KeyError("x"), "3"), "1", ["b"]),
    "the-first-is-down": ((DOWN, "2", "3"), DOWN, []),
}


@pytest.mark.parametrize(("answers", "outcome", "reported"), GROUPS.values(), ids=GROUPS)
def test_each_notifier_is_told_whatever_the_others_do(
    answers: tuple[str | Exception, ...], outcome: str | Exception, reported: list[object]
) -> None:
    """The first one's answer is the outcome; an error of another is reported."""
    members = [(name, Telling(answer)) for name, answer in zip("abc", answers, strict=True)]
    heard: list[tuple[str, Exception]] = []
    group = NotifierGroup(members, lambda name, error: heard.append((name, error)))

    if isinstance(outcome, Exception):
        with pytest.raises(type(outcome)):
            group.tell(NOTICE)
    else:
        assert group.tell(NOTICE) == outcome

    assert [member.told for _, member in members] == [[NOTICE]] * 3
    assert [name for name, _ in heard] == [item[0] for item in reported]  # type: ignore[index]


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notifier in one more file of the folder, and where it writes."""
    (tmp_path / "chat.py").write_text(CHAT)
    monkeypatch.setattr(notifiers, "__path__", [*notifiers.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "scc_responder.adapters.notifiers.chat", raising=False)
    return tmp_path / "told"


def test_one_more_file_is_one_more_notifier(chat: Path) -> None:
    """Named in settings and given what it needs there, it tells beside the outcome topic, or alone."""
    alone = open_notifiers(local_settings(NOTIFIERS="chat", CHAT_FILE=str(chat)), print)
    both = open_notifiers(
        local_settings(
            NOTIFIERS="outcome_topic, chat", CHAT_FILE=str(chat), OUTCOME_TOPIC="projects/example-project/topics/t"
        ),
        print,
    )

    assert alone is not None
    assert alone.tell(NOTICE) == "chat-1"
    assert chat.read_bytes() == b"{}\n"
    assert isinstance(both, NotifierGroup)


def test_without_what_they_need_there_are_no_notifiers(chat: Path) -> None:
    """Then the step says that there is nobody to tell."""
    assert open_notifiers(local_settings(), print) is None
    assert open_notifiers(local_settings(NOTIFIERS="chat"), print) is None


def test_an_unknown_notifier_stops_the_start() -> None:
    """A misspelt name would be silence."""
    with pytest.raises(SettingsError, match=r"no notifier 'outcome_topics'; give one of .*outcome_topic"):
        check_notifiers(("outcome_topic", "outcome_topics"))


@pytest.mark.parametrize("name", ["signed_web_hook", "outcome_topic", "notifiers", "", "../local"])
def test_an_unknown_receiver_is_refused(name: str) -> None:
    """Receivers and notifiers are told apart, and the secret is not said."""
    with pytest.raises(SettingsError, match=r"no receiver .*; give one of .*signed_webhook") as raised:
        open_receiver(name, "https://hooks.example.com/s3cr3t")
    assert "s3cr3t" not in str(raised.value)
    with pytest.raises(SettingsError, match="no notifier 'signed_webhook'"):
        check_notifiers(["signed_webhook"])
