"""The organisers' own words for a reminder, with merge words. Pure."""

from booking.core.errors import refuse_unless
from booking.core.text import one_line, paragraphs
from booking.notifications import merging

LONGEST_SUBJECT, LONGEST_TEXT = 150, 5_000
MERGE_WORDS = {
    "name": "who the e-mail is to",
    "event": "the title of the event",
    "when": "its day and times, such as Monday 25 March 2024, 1.30pm to 3.30pm",
    "date": "its day alone",
    "time": "its times alone",
    "left": "how far off it is, such as in 7 days, or tomorrow",
    "where": "where it is",
    "names": "whose place it is",
    "link": "the reader's own page",
    "partnership": "the name of the partnership",
    "school": "the school that owes an answer",
}


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
        why_not = merging.why_not(words, MERGE_WORDS)
        refuse_unless(not why_not, why_not, field=field)
        # Some merge words may stand for nothing: an event without a place has no [where].
        refuse_unless(
            any(letter.isalpha() for letter in merging.without_words(words)),
            f"The {field} has no words of its own, so the e-mail could come out empty. Write a sentence round the "
            "merge words.",
            field=field,
        )
    return subject, text
