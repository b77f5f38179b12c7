"""Merge words such as [name], which stand for what is so for each reader. Pure."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from booking.core.text import and_list

# Each part is possessive (`+`) and none begins within what it would have to read again: a text of one letter, one
# space or one bracket many times is read once.
_WORD = re.compile(r"\[ *+([^\W\d_]++) *+\]")
# One bracket is missing, or it is of another kind.
_HALF = re.compile(r"[\[{] *+([^\W\d_]++)|(?<![^\W\d_])([^\W\d_]++) *+[\]}]")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with each merge word replaced, once: what is put in is not looked at again."""
    return _WORD.sub(lambda found: values.get(found[1].lower(), found[0]), text)


def without_words(text: str) -> str:
    """Return what is left of a text where every merge word stands for nothing."""
    return _WORD.sub("", text)


def why_not(text: str, words: Collection[str]) -> str:
    """Return which merge words are none, or not quite, and how to mend them; nothing where all are right."""
    unknown = list(dict.fromkeys(typed[:30] for typed in _WORD.findall(text) if typed.lower() not in words))
    if not unknown:
        half = next((one for found in _HALF.findall(without_words(text)) for one in found if one.lower() in words), "")
        return f"A merge word stands between [ and ]: write [{half.lower()}]." if half else ""
    near = get_close_matches(unknown[0].lower(), words, n=1, cutoff=0.6) if len(unknown) == 1 else []
    hint = f"Did you mean [{near[0]}]?" if near else f"You can use {and_list(f'[{one}]' for one in words)}."
    return f"There is no merge word {and_list(f'[{one}]' for one in unknown)}. {hint}"
