"""The organisers' own words for a reminder, with merge words such as {name}. Pure."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from booking.core.errors import refuse_unless
from booking.core.text import and_list, one_line, paragraphs

LONGEST_SUBJECT, LONGEST_TEXT = 150, 5_000
MERGE_WORDS = {
    "name": "who the e-mail is to",
    "title": "the title of the event",
    "date": "its day, such as Monday 25 March 2024",
    "time": "its times, such as 1.30pm to 3.30pm",
    "place": "where it is",
    "when": "how far off it is, such as in 7 days, or tomorrow",
    "names": "whose place it is",
    "link": "the reader's own page",
    "partnership": "the name of the partnership",
    "school": "the school that owes an answer",
}
_MERGED = re.compile(r"\{([^{}]*)\}")
# A brace that no merge word is made of: half of one was typed.
_LOOSE = re.compile(r"[{}]")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with each merge word replaced. What is put in is not looked at again."""
    return _MERGED.sub(lambda found: values[_word(found[1])], text)


def _word(typed: str) -> str:
    return " ".join(typed.lower().split())


def tidy(subject: str, text: str) -> tuple[str, str]:
    """Return own words as they are kept; two empty ones mean the usual words. Raises Refused with how to mend them."""
    subject, text = one_line(subject), paragraphs(text)
    if not subject and not text:
        return "", ""
    refuse_unless(text, "Write the text too, or leave the subject empty to send the usual words.", field="text")
    refuse_unless(subject, "Write a subject too, or leave the text empty to send the usual words.", field="subject")
    refuse_unless(
        len(subject) <= LONGEST_SUBJECT, f"Use at most {LONGEST_SUBJECT} letters in the subject.", field="subject"
    )
    refuse_unless(len(text) <= LONGEST_TEXT, f"Use at most {LONGEST_TEXT:,} letters in the text.", field="text")
    for field, words in (("subject", subject), ("text", text)):
        _refuse_unknown(words, field)
        # Some merge words may stand for nothing: an event without a place has no {place}.
        refuse_unless(
            any(letter.isalpha() for letter in _MERGED.sub("", words)),
            f"The {field} has no words of its own, so the e-mail could come out empty. Write a sentence round the "
            "merge words.",
            field=field,
        )
    return subject, text


def _refuse_unknown(words: str, field: str) -> None:
    for typed in _MERGED.findall(words):
        if _word(typed) not in MERGE_WORDS:
            near = get_close_matches(_word(typed), MERGE_WORDS, n=1, cutoff=0.6)
            hint = (
                f"Did you mean {{{near[0]}}}?"
                if near
                else f"You can use {and_list(f'{{{one}}}' for one in MERGE_WORDS)}."
            )
            refuse_unless(False, f"There is no merge word {{{one_line(typed)[:30]}}}. {hint}", field=field)
    refuse_unless(
        not _LOOSE.search(_MERGED.sub("", words)),
        "A merge word stands between { and }, such as {name}. One of the two is missing.",
        field=field,
    )
