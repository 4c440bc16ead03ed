"""Characters that look like others, or like nothing: what a person reads and what is compared are two things.

Source: Unicode Technical Standard 39, confusables: the letters of Cyrillic and Greek that look like Latin ones.
"""

from __future__ import annotations

import unicodedata

_CODES = (
    "0131i 0251a 0261g 0391A 0392B 0395E 0396Z 0397H 0399I 039aK 039cM 039dN 039fO 03a1P 03a4T 03a5Y 03a7X 03b1a "
    "03b5e 03b9i 03bak 03bdv 03bfo 03c1p 03c4t 03c5u 03c7x 0405S 0406I 0408J 0410A 0412B 0415E 041aK 041cM 041dH "
    "041eO 0420P 0421C 0422T 0423Y 0425X 0430a 0432b 0435e 043ak 043eo 0440p 0441c 0443y 0445x 0455s 0456i 0458j "
    "0475v 04bbh 04cfl 0501d 051bq 051dw 0578n 057du "
)
_LIKE = {chr(int(code[:4], 16)): code[4] for code in _CODES.split()}
"""Letters that are taken for a Latin one, and for which."""
_QUOTES = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-"}
_QUOTES |= {"\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2044": "/", "\u2215": "/", "\u2217": "*", "\u204e": "*"}


def odd_character(text: str) -> str:
    """What is odd about a text of names and patterns, and how to write it; empty where nothing is.

    >>> odd_character("shop "), odd_character("sh\u043ep")
    ("'shop ' ends with a blank; write 'shop'", "'sh\\\\u043ep' has U+043E, CYRILLIC SMALL LETTER O; write 'shop'")
    """
    strange = next((letter for letter in text if not (letter.isascii() and letter.isprintable())), "")
    if strange:
        return f"{text!a} has {named_character(strange)}; {_instead(text)}"
    if text != text.strip():
        place = "begins" if text != text.lstrip() else "ends"
        return f"{text!r} {place} with a blank; write {text.strip()!r}"
    return ""


def disguised_character(text: str) -> str:
    """The same for free text, where other alphabets are welcome: a word of two alphabets, or what is not seen."""
    hidden = next((letter for letter in text if unicodedata.category(letter) == "Cf"), "")
    if not hidden and any(letter.isascii() and letter.isalpha() for letter in text):
        words = "".join(letter if letter.isalnum() else " " for letter in text).split()
        mixed = (word for word in words if any(letter in _LIKE for letter in word) and _latin(word))
        hidden = next((letter for word in mixed for letter in word if letter in _LIKE), "")
    return f"{text!a} has {named_character(hidden)}; {_instead(text)}" if hidden else ""


def _latin(word: str) -> bool:
    return all(letter.isascii() or letter in _LIKE for letter in word) and any(map(str.isascii, word))


def _instead(text: str) -> str:
    meant = plain(text)
    return f"write {meant!a}" if meant else "write it in letters of ASCII"


def named_character(letter: str) -> str:
    """The character by number and name: `U+200B, ZERO WIDTH SPACE`."""
    name = unicodedata.name(letter, "")
    return f"U+{ord(letter):04X}{f', {name}' if name else ', a control character'}"


def plain(text: str) -> str:
    """The text as it was probably meant: in ASCII, without what is not seen."""
    folded = unicodedata.normalize("NFKC", "".join(_LIKE.get(letter, _QUOTES.get(letter, letter)) for letter in text))
    return "".join(letter for letter in folded if letter.isascii() and letter.isprintable()).strip()
