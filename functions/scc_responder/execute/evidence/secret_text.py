"""Find secrets in text: command lines, messages, scripts. Pure.

Every pattern is bounded, since the text may be the attacker's. A false hit costs a word; a miss stores a secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cache, lru_cache

from scc_responder.domain.text import LatePattern

REDACTED = "redacted"
_MAX_TEXT = 300_000
_MAX_NESTED = 3
_SHORTEST_TEXT = 16
_LONGEST_NAME = 64
"""Names of fields repeat, and are remembered. One that is longer is an attacker's."""


class RedactionRule(StrEnum):
    """Why a value is not in evidence."""

    ENVIRONMENT = "environment"
    """The value of an environment variable."""
    ANNOTATION = "annotation"
    """An annotation whose key is not known to be harmless."""
    HTTP_HEADER = "http_header"
    """The value of a probe's HTTP header."""
    VOLUME_OPTION = "volume_option"
    """What a volume driver is given."""
    NAMED_SECRET = "named_secret"  # noqa: S105 - a rule's name
    """A value beside a name such as `password` or `token`."""
    OPTION = "option"
    """The value of a command's option that takes a secret."""
    AUTHORIZATION = "authorization"
    """What stands after `Authorization:` or `Bearer`."""
    URL_USER = "url_user"
    """User and password in a URL."""
    TOKEN = "token"  # noqa: S105 - a rule's name
    """The shape of a known kind of token."""
    PRIVATE_KEY = "private_key"
    """A private key in PEM."""
    ENCODED = "encoded"
    """A secret in base64."""
    OPAQUE_WORD = "opaque_word"
    """A word of capital letters and digits that is no hash, path, address or date."""
    TOO_LONG = "too_long"
    """A text too long to look through."""


_SENSITIVE = (
    r"(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token|credential|cookie|signature|session[_-]?id|bearer"
    r"|(?:api|access|account|private|secret|sign|signing|encrypt|encryption|master|shared|storage|service|auth|licen[cs]e"
    r"|session|deploy|ssh|client|sas|consumer|functions?|app|admin|write|ingest(?:ion)?)[_.-]?key|mnemonic|seed[_-]?phrase"
    r"|pass(?![a-z])|pw(?![a-z])|(?<![a-z])(?:auth|pin|sig|[th]?otp|creds?)(?![a-z]))"
)
_FIRST_LETTER = "(?=[pstcbaemldfwioh])"
"""Of every name above: tried first, it makes a search three times as fast."""
_PLAIN = r"""(?P<plain>(?:[^\s"'&;,|<>)}\]\\]|[,&](?![\s&,]|[\w.-]{0,40}[=:])){1,8000})"""
_VALUE = (
    r"""(?:\\"(?P<escaped>[^"\\]{1,4000})|\$?"(?P<double>(?:[^"\\]|\\.){1,4000})"""
    rf"""|\$?'(?P<single>(?:[^']|'\\''){{1,4000}})|{_PLAIN})"""
)
_BASIC_USER = r"(?:--(?:proxy-)?user[= \s]\s{0,9}|(?<!\S)-u\s{0,9})[\"']?[^\s:\"']{0,200}:"
_STARTS = (
    r"(?:gh[pousr]_|github_pat_|gl(?:pat|rt|dt|ptt|soat|ft|imt|cbt|agent|sa|c)[-_]|AKIA|ASIA|AIza|ya29\.|xox[a-z]-|xapp-"
    r"|[sr]k_(?:live|test)_|whsec_|npm_|hv[sbr]\.|SG\.|GOCSPX-|pypi-|do[opr]_v1_|dckr_(?:pat|oat)_|shp(?:at|ca|pa|ss)_"
    r"|sq0(?:csp|atp)-|lin_api_|HRKU-|NRAK-|PMAK-|AT[AC]TT3|AGE-SECRET-KEY-|eyJ)"
)
_LONG_TOKENS = (
    r"(?:hf_|dapi|gsk_|xai-|nvapi-|r8_|sbp_|pul-|figd_)[\w-]{20,500}|sk-[\w-]{12,500}"
    r"|(?=[a-z0-9.]{0,22}\d)[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])"
)
"""Tokens whose start is that of ordinary words too, and kubeadm's."""
_HOOKS = (
    r"(?:hooks\.slack\.com/services/[^\s/]{1,30}/[^\s/]{1,30}/|/api/webhooks/\d{1,30}/"
    r"|webhook\.office\.com/\w{1,30}/|hooks\.zapier\.com/hooks/catch/|/bot\d{1,20}:)"
)
_EQUALS = r"(?:=>|:=|=|:|\\u003d)\s{0,9}(?:[>|][0-9+-]{0,2}[ \t]{0,9}\n\s{0,40})?"
_CLIENTS = (
    r"(?:sshpass|mysql\w*|mariadb[\w-]*|mongo\w*|login|7z\w?|plink|pscp|useradd|usermod|zip|ldap\w+|mosquitto\w*)"
)
_OTHER_OPTION = (
    r"(?!rint|erm\b|ath\b|rune\b|ort\b|pid\b|id\b|roto|olicy|od\b|roject|rofile|refix|arents|lugin|ackage|y\b|\d+\b"
    r"|[rfvazx]{1,3}\b)"
)

_PATTERNS: dict[RedactionRule, tuple[tuple[str, str], ...]] = {
    RedactionRule.PRIVATE_KEY: (
        (" ", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?P<plain>.*?)(?:-----END|\Z)"),
        (" ", r"Private-Lines: \d{1,4}\s{1,2}(?P<plain>.*?)(?:Private-MAC|\Z)"),
    ),
    RedactionRule.URL_USER: (("@", r"://(?P<plain>[^\s/'\"@:]{0,200}:[^\s'\"]{0,500}|[^\s/'\"@:?#]{1,500})@"),),
    RedactionRule.AUTHORIZATION: (
        (":=,", r"authorization[\"']?\s{0,9}[:=,]\s{0,9}[\"']?(?:[a-z0-9-]{1,20}\s{1,9})?(?P<plain>[^\s\"']{1,8000})"),
        (" ", r"(?<![a-z])bearer\s{1,9}(?P<plain>[^\s\"',;]{1,8000})"),
    ),
    RedactionRule.TOKEN: (
        ("", rf"(?<![A-Za-z0-9])(?P<plain>{_STARTS}[\w.~+/=-]{{4,8000}}|1//0[\w-]{{10,500}}|{_LONG_TOKENS})"),
        ("/", _HOOKS + r"(?P<plain>[^\s\"'<>?]{4,500})"),
    ),
    RedactionRule.OPTION: (
        (":", _BASIC_USER + r"(?P<plain>(?!\d+\b)[^\s\"']{1,4000})"),
        (" ", r"curl\b[^|;\n]{0,500}?\s(?:-u|--user)[\s=]{0,9}" + _VALUE),
        (" ", rf"\b{_CLIENTS}\b[^|;\n]{{0,500}}?\s-[pPw]\s{{0,9}}(?!\d+\b){_VALUE}"),
        ("-", rf"(?<!\S)-p{_OTHER_OPTION}(?![/=:])(?=\S){_VALUE}"),
        (" ", rf"\bredis-cli\b[^|;\n]{{0,500}}?\s-a\s{{0,9}}{_VALUE}"),
        ("%", r"(?<!\S)-U\s{0,9}[^\s%]{1,200}%(?P<plain>\S{1,4000})"),
        ("=", r"--from-literal[=\s]\s{0,9}[\"']?[^\s=]{1,253}=" + _VALUE),
        (" ", r"\bvault\s{1,9}login\s{1,9}(?!-)" + _VALUE),
        (" ", r"\bhtpasswd\s{1,9}-\w{0,9}b\w{0,9}\s{1,9}\S{1,500}\s{1,9}\S{1,500}\s{1,9}" + _VALUE),
        (" ", r"\bnet\s{1,9}use\s[^|;\n]{0,500}?/user:\S{1,200}\s{1,9}(?!/)" + _VALUE),
        (" ", r"\blogin\s{1,9}[^\s:]{1,200}\s{1,9}password\s{1,9}" + _VALUE),
        (" ", r"ConvertTo-SecureString\s{1,9}(?:-String\s{1,9})?(?!-)" + _VALUE),
        (" ", r"identified\s{1,9}by\s{1,9}" + _VALUE),
        (" ", r"-pass(?:in|out)?\s{1,9}pass:(?P<plain>\S{1,4000})"),
        (" ", r"echo\s{1,9}(?:-\w\s{1,9})?(?P<plain>[^\n|]{1,500}?)\s{0,9}\|\s{0,9}(?:ch)?passwd\b"),
    ),
    RedactionRule.NAMED_SECRET: (
        (" ", rf"(?<!\S)--?[\w.-]{{0,60}}?{_SENSITIVE}(?P<tail>[\w.-]{{0,60}})\s{{1,9}}(?!-){_VALUE}"),
        (":=\\", rf"{_FIRST_LETTER}{_SENSITIVE}(?P<tail>[\w.-]{{0,60}})\]?(?:\\?[\"'])?\s{{0,9}}{_EQUALS}{_VALUE}"),
        (" ", rf"{_FIRST_LETTER}{_SENSITIVE}\s{{1,9}}(?:is\s{{1,9}})?'(?P<single>[^']{{1,4000}})"),
    ),
}
"""Each with the letters of which a text has at least one wherever it can match; a space stands for any white space.

Most texts of an object are single words: few patterns have to look at them.
"""
_LETTERS = frozenset(letter for patterns in _PATTERNS.values() for needs, _ in patterns for letter in needs)
_NAMES = LatePattern(_SENSITIVE, re.IGNORECASE)
_POINTS_ELSEWHERE = LatePattern(
    r"(?:names?|refs?|paths?|files?|dirs?|seconds|namespace|policy|type|mode)$", re.IGNORECASE
)
_HARMLESS = LatePattern(r"true|false|null|none|redacted|(?-i:\$\{?[A-Z_][A-Z0-9_]*\}?)|\$\(\w*\)?|", re.IGNORECASE)
_SECRET_OPTION = LatePattern(rf"--?[\w.-]{{0,60}}?{_SENSITIVE}(?P<tail>[\w.-]{{0,60}})(?P<value>=)?", re.IGNORECASE)
_BASE64 = LatePattern(r"(?<![\w+/.-])[A-Za-z0-9+/_-]{12,}={0,2}(?![\w+/.-])", re.NOFLAG)
_WORD = LatePattern(
    r"(?:(?<=%[0-9A-Fa-f]{2})(?<!%2[Ff])|(?<![A-Za-z0-9/%])(?<!\w\.))[A-Za-z0-9]{8,8000}(?![A-Za-z0-9/]|\.\w)",
    re.NOFLAG,
)
_NO_SECRET = LatePattern(
    r"[0-9A-Fa-f-]+|\d{8}T\d{4,}Z?|[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}|(?:organizations|folders|projects)/[\w/-]+",
    re.NOFLAG,
)


def names_secret(name: str) -> bool:
    """Whether a field of this name holds a secret, and not the name or place of one."""
    return _names_secret(name) if len(name) <= _LONGEST_NAME else _names_secret.__wrapped__(name)


@lru_cache(1024)
def _names_secret(name: str) -> bool:
    return _NAMES.compiled.search(name) is not None and not names_place(name)


def names_place(name: str) -> bool:
    """Whether a field of this name says where something is, or of which kind."""
    return _POINTS_ELSEWHERE.compiled.search(name) is not None


def redact_text(text: str, *, opaque: bool = True, nested: int = 0) -> tuple[str, tuple[RedactionRule, ...]]:
    """The text without secrets, and by which rules. `opaque`: also words that only look like one."""
    if len(text) > _MAX_TEXT:
        return REDACTED, (RedactionRule.TOO_LONG,)
    rules: list[RedactionRule] = []
    for rule, pattern in _patterns(frozenset(map(_letter, set(text)))):
        text = pattern.sub(_replacer(rule, rules), text)
    if nested < _MAX_NESTED:
        text = _BASE64.compiled.sub(_if(lambda word: _encodes_secret(word, nested), RedactionRule.ENCODED, rules), text)
    if opaque:
        text = _WORD.compiled.sub(_if(_is_opaque, RedactionRule.OPAQUE_WORD, rules), text)
    return text, tuple(dict.fromkeys(rules))


def _letter(letter: str) -> str:
    """What the patterns need to know of a letter: which one of theirs it is, if any."""
    return letter if letter in _LETTERS else " " if letter.isspace() else ""


@cache
def _patterns(letters: frozenset[str]) -> tuple[tuple[RedactionRule, re.Pattern[str]], ...]:
    """The patterns that may match a text of such letters, in their order. One that nothing needs is never compiled."""
    return tuple(
        (rule, re.compile(pattern, 0 if rule is RedactionRule.TOKEN else re.IGNORECASE | re.DOTALL))
        for rule, patterns in _PATTERNS.items()
        for needs, pattern in patterns
        if not needs or not letters.isdisjoint(needs)
    )


def redact_words(words: Sequence[str], *, opaque: bool = True) -> list[tuple[str, tuple[RedactionRule, ...]]]:
    """The words of one command line, each as `redact_text`: an option's value may stand in the next word."""
    line = "\x1f".join(word if word.split() == [word] else "_" for word in words)
    whole = redact_text(line, opaque=False)[0].split("\x1f")
    kept = whole if len(whole) == len(words) else list(words)
    return [
        _redact_word(word, kept[number], words[number - 1] if number else "", opaque)
        for number, word in enumerate(words)
    ]


def _redact_word(word: str, in_line: str, before: str, opaque: bool) -> tuple[str, tuple[RedactionRule, ...]]:
    option = _SECRET_OPTION.fullmatch(before)
    if option and not option["value"] and _is_secret(option["tail"], word) and not word.startswith("--"):
        return REDACTED, (RedactionRule.NAMED_SECRET,)
    start = _SECRET_OPTION.compiled.match(word)
    if start and start["value"] and _is_secret(start["tail"], word[start.end() :]):
        return word[: start.end()] + REDACTED, (RedactionRule.NAMED_SECRET,)
    text, rules = redact_text(word if in_line == "_" else in_line, opaque=opaque)
    changed = in_line not in (word, "_")
    return text, tuple(dict.fromkeys((*((RedactionRule.OPTION,) if changed else ()), *rules)))


def _is_secret(tail: str, value: str) -> bool:
    return _HARMLESS.fullmatch(value) is None and _POINTS_ELSEWHERE.compiled.search(tail) is None


def _replacer(rule: RedactionRule, rules: list[RedactionRule]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        groups = match.groupdict()
        group = next((name for name in ("escaped", "double", "single", "plain") if groups.get(name)), "")
        if not group or not _is_secret(groups.get("tail") or "", match[group]):
            return match[0]
        rules.append(rule)
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        return match[0][:start] + REDACTED + match[0][end:]

    return replace


def _if(test: Callable[[str], bool], rule: RedactionRule, rules: list[RedactionRule]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        if not test(match[0]):
            return match[0]
        rules.append(rule)
        return REDACTED

    return replace


def _encodes_secret(word: str, nested: int) -> bool:
    """Whether base64 holds a secret, or no text at all. Text without secrets stays: it may be the attack."""
    inner = _decoded(word)
    if inner and _is_text(inner):
        return bool(redact_text(inner, nested=nested + 1)[1])
    mixed = any(map(str.isupper, word)) and any(map(str.islower, word)) and any(map(str.isdigit, word))
    return len(word) >= 24 and mixed and not _NO_SECRET.fullmatch(word)


def _is_text(inner: str) -> bool:
    return all(letter.isprintable() or letter in "\r\n\t" for letter in inner)


def _decoded(word: str) -> str | None:
    plain = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _is_opaque(word: str) -> bool:
    """Whether a word looks like a secret by its letters. Base64 of text was looked into before."""
    capital, digit = any(map(str.isupper, word)), any(map(str.isdigit, word))
    text = _decoded(word) if len(word) >= _SHORTEST_TEXT else None
    return capital and digit and not _NO_SECRET.fullmatch(word) and not (text and _is_text(text))
