"""How a word says why: what it means, what holds of it, and the name that completes it (`exempt:NAME`)."""

from __future__ import annotations

from enum import StrEnum, auto
from functools import cache, lru_cache
from typing import Any, Self

_GAP = "{}"


class Trait(StrEnum):
    """What a caller may ask of a reason, whichever word it is."""

    ALREADY = auto()
    UNREAD = auto()
    MISSING = auto()
    LASTING = auto()
    BEYOND_REACH = auto()
    ADMISSION = auto()
    LEFT_OUT = auto()
    ANEW = auto()
    YIELDS = auto()
    PASSES = auto()
    BY_HAND = auto()


class _Has:
    def __init__(self, trait: Trait) -> None:
        self._trait = trait

    def __get__(self, word: HasTraits | None, _words: object) -> bool:
        return word is not None and self._trait in word.traits


class HasTraits:
    """What may be asked of a word by its traits."""

    traits: tuple[Trait, ...] = ()

    is_already = _Has(Trait.ALREADY)
    """Whether there is nothing to do because the target is as it should be."""

    is_unread = _Has(Trait.UNREAD)
    """Whether it is about a fact that guards need and that was not read: a later delivery may read it."""

    is_missing = _Has(Trait.MISSING)
    """Whether a policy did not apply because what it asks about is not known."""

    is_of_admission = _Has(Trait.ADMISSION)
    """Whether the cluster's admission refused it, whoever may do it by RBAC."""

    is_lasting = _Has(Trait.LASTING)
    """Whether the next delivery would meet the error again."""

    is_beyond_reach = _Has(Trait.BEYOND_REACH)
    """Whether the target is out of reach until somebody changes the cluster, or this deployment."""

    is_planned_anew = _Has(Trait.ANEW)
    """Whether nothing was done, as the target changed since it was planned: the next delivery plans anew."""

    passes = _Has(Trait.PASSES)
    """Whether time alone may lift it, so that a sweep goes on by itself with what can be undone."""

    is_by_hand = _Has(Trait.BY_HAND)
    """Whether no command gets on with it: a person responds by hand, or there is nothing to respond to."""

    is_left_out = _Has(Trait.LEFT_OUT)
    """Whether this deployment goes without what the step takes: somebody's choice, by which no case falls short."""


class Word(HasTraits, StrEnum):
    """One of a closed set of words. `{}` in it stands for the name that `of` puts there.

    A word that is completed so is no member, but of the same type: it prints, compares and is stored as its text.

    >>> class Why(Word):
    ...     EXEMPT = "exempt:{}", "an exemption holds it"
    >>> why = Why.EXEMPT.of("payments")
    >>> str(why), why.detail, why.word is Why.EXEMPT, Why("exempt:payments").word is Why.EXEMPT
    ('exempt:payments', 'payments', True, True)
    """

    meaning: str
    """What the word says, for people."""
    detail: str
    """The name that completes the word; empty where none does."""

    def __new__(cls, text: str, meaning: str, *traits: Trait) -> Self:
        """A member, by its text and its meaning."""
        return cls._made(text, meaning, traits)

    @classmethod
    def _made(cls, text: str, meaning: str, traits: tuple[Trait, ...], detail: str = "") -> Self:
        made = str.__new__(cls, text)
        made._value_ = text
        made.meaning = meaning
        made.traits = traits
        made.detail = detail
        return made

    @property
    def word(self) -> Self:
        """The member: itself, or the one that a name completes."""
        return type(self)[self._name_]

    def of(self, detail: str) -> Self:
        """The word completed by a name."""
        completed: Self = _completed(self, detail)
        return completed

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The word that a stored text is; None where it is none of this version's."""
        try:
            return cls(text)  # type: ignore[call-arg] # a look-up, as only members have a meaning
        except ValueError:
            return None

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        for member, before, after in _completable(cls):
            if isinstance(value, str) and value.startswith(before) and value.endswith(after):
                completed: Self = member.of(value[len(before) : len(value) - len(after)])
                return completed
        return None


@cache
def _completable(words: Any) -> tuple[tuple[Any, str, str], ...]:
    """The members that a name completes, with what stands before and behind it."""
    parts = ((member, *member.value.partition(_GAP)) for member in words)
    return tuple((member, before, after) for member, before, gap, after in parts if gap)


@lru_cache(maxsize=1024)
def _completed(member: Any, detail: str) -> Any:
    made = member._made(member.value.replace(_GAP, detail), member.meaning, member.traits, detail)  # noqa: SLF001
    made._name_ = member.name
    return made
