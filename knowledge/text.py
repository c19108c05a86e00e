"""Text as the index sees it: normalised, simplified, cut into words and character n-grams."""

from __future__ import annotations

import functools
import logging
import re
import unicodedata
from collections.abc import Iterable
from importlib.resources import files

import jieba
import opencc

jieba.setLogLevel(logging.WARNING)

_INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]"
)
_WORDS_AND_DIGITS = re.compile(r"[^，；：？！（）]+")
_SPACE = re.compile(r"[ \t\r\f\v\u3000]+")
_WORD = re.compile(r"\w+")


@functools.cache
def _to_simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def simplify(text: str) -> str:
    """Traditional characters to simplified ones (OpenCC t2s)."""
    simplified: str = _to_simplified().convert(text)
    return simplified


def normalise(text: str) -> str:
    """What a person typed as we read it: NFKC, no invisible characters, simplified, plain spaces.

    Fullwidth digits and letters become plain ones; Chinese punctuation, which NFKC would turn into
    ASCII, stays: the question is shown to people in this form.
    """
    text = _WORDS_AND_DIGITS.sub(
        lambda run: unicodedata.normalize("NFKC", run[0]), _INVISIBLE.sub("", text)
    )
    return _SPACE.sub(" ", simplify(text)).strip()


@functools.cache
def _cutter() -> jieba.Tokenizer:
    """jieba with the legal dictionary; its own instance, so that nobody else's words leak in."""
    cutter = jieba.Tokenizer()
    for word in _lines("legal_words.txt"):
        cutter.add_word(word)
    return cutter


def cut(text: str) -> list[str]:
    """The words of a text and all between them: joined they are the text again."""
    words: list[str] = _cutter().lcut(text)
    return words


def _lines(name: str) -> list[str]:
    content = (files("knowledge") / "lexicon" / name).read_text("utf-8")
    return [line.strip() for line in content.splitlines() if line.strip() and line[0] != "#"]


def words(text: str) -> list[str]:
    """jieba's search cut, words of two characters and more."""
    return [w for w in _cutter().lcut_for_search(text) if len(w) > 1 and _WORD.match(w)]


@functools.cache
def _dictionary() -> frozenset[str]:
    lay = (word for word, _ in _synonyms())
    matters = (word for line in _lines("matters.txt") for word in line.split())
    return frozenset(_lines("legal_words.txt")) | frozenset(lay) | frozenset(matters)


def gist(question: str, most: int = 3) -> str:
    """The first few words of law in a question, or the question where there is none."""
    cut = _cutter().lcut_for_search(normalise(question))
    found = dict.fromkeys(w for w in cut if len(w) > 1 and w in _dictionary())
    return "".join(list(found)[:most]) or question


def terms(text: str) -> list[str]:
    """The terms of the lexical index: characters, their bigrams, and jieba's words.

    Characters and bigrams alone beat words alone on real questions, both together beat either
    (docs/performance.md). Words carry a mark, so that 工资 the word is not 工资 the bigram.
    """
    text = normalise(text)
    runs = _WORD.findall(text)
    out = [c for run in runs for c in run]
    out += [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
    return out + [f"/{w}" for w in words(text)]


@functools.cache
def _synonyms() -> list[tuple[str, str]]:
    pairs = []
    for line in _lines("lay_synonyms.txt"):
        lay, _, legal = line.partition("→")
        pairs += [(one.strip(), legal.strip()) for one in lay.split("、")]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def legal_terms(question: str) -> Iterable[str]:
    """The statute's words for the lay words in a question: 欠薪 → 拖欠劳动报酬. For marking what
    matters in an article; in the search they gained nothing."""
    return dict.fromkeys(legal for lay, legal in _synonyms() if lay in question)
