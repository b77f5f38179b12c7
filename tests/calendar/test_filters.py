"""What somebody chose to see of the list, read from an address."""

from datetime import date

import pytest

from booking.calendar.filters import LONGEST_WORDS, Filters, read_filters
from booking.core.errors import Refused

CATEGORIES = {"senco-forum", "coffee-morning"}
AUDIENCES = {"sencos", "parents-and-carers"}


def read(**query: str | list[str]) -> Filters:
    names = {"first": "from", "last": "to"}
    values = {names.get(name, name): [value] if isinstance(value, str) else value for name, value in query.items()}
    return read_filters(values, categories=CATEGORIES, audiences=AUDIENCES, areas={"vale-marsh"})


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ({}, Filters()),
        ({"anything": "else", "page": "2", "team": "y"}, Filters()),
        ({name: ["", "  "] for name in ("category", "audience", "area", "q", "first", "last", "when")}, Filters()),
        ({"free": ""}, Filters()),
        ({"category": "senco-forum"}, Filters(categories=("senco-forum",))),
        ({"category": [" senco-forum", "coffee-morning", "senco-forum"]}, Filters(("senco-forum", "coffee-morning"))),
        ({"audience": ["sencos", "", "parents-and-carers"]}, Filters(audiences=("sencos", "parents-and-carers"))),
        ({"area": "vale-marsh"}, Filters()),
        ({"q": "  Early   YEARS forum "}, Filters(words=("Early", "YEARS", "forum"))),
        ({"q": ["one", "two"]}, Filters(words=("one", "two"))),
        ({"q": "50% off_"}, Filters(words=("50%", "off_"))),
        ({"q": "one\x00two\r\nthree\u2028four"}, Filters(words=("one", "two", "three", "four"))),
        ({"q": "\x00"}, Filters()),
        ({"q": "x" * 500}, Filters(words=("x" * LONGEST_WORDS,))),
        ({"first": "2026-11-23"}, Filters(first=date(2026, 11, 23))),
        ({"last": ["2026-01-01", " 2026-11-23 "]}, Filters(last=date(2026, 11, 23))),
        ({"first": "2026-11-23", "last": "2026-11-23"}, Filters(first=date(2026, 11, 23), last=date(2026, 11, 23))),
        ({"when": "coming"}, Filters()),
        ({"when": "past"}, Filters(past=True)),
        ({"free": "y"}, Filters(only_free=True)),
    ],
)
def test_an_address_is_read(query: dict, filters: Filters) -> None:
    assert read(**query) == filters
    assert filters.is_set == (filters != Filters())


NOT_A_DATE = "is not a date. Write it like 2026-11-23."


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ({"area": "nowhere"}, "area", "There is no area called “nowhere”."),
        ({"area": "n" * 99}, "area", f"There is no area called “{'n' * 60}”."),
        (
            {"category": ["senco-forum", "nothing"]},
            "category",
            "There is no kind of event called “nothing”. Choose from the list.",
        ),
        ({"category": "sencos"}, "category", "There is no kind of event called “sencos”. Choose from the list."),
        (
            {"category": "SENCO-forum"},
            "category",
            "There is no kind of event called “SENCO-forum”. Choose from the list.",
        ),
        (
            {"category": "n" * 99},
            "category",
            f"There is no kind of event called “{'n' * 60}”. Choose from the list.",
        ),
        ({"audience": "everybody"}, "audience", "There is no audience called “everybody”. Choose from the list."),
        ({"when": "never"}, "when", "“never” is not something to choose. Choose from the list."),
        ({"first": "23.11.2026"}, "from", f"“23.11.2026” {NOT_A_DATE}"),
        ({"first": "2026-02-29"}, "from", f"“2026-02-29” {NOT_A_DATE}"),
        ({"first": "9999-12-31"}, "from", f"“9999-12-31” {NOT_A_DATE}"),
        ({"last": "tomorrow"}, "to", f"“tomorrow” {NOT_A_DATE}"),
        ({"last": "2026-11-23T10:00"}, "to", f"“2026-11-23T10:00” {NOT_A_DATE}"),
        ({"last": "x" * 99}, "to", f"“{'x' * 30}” {NOT_A_DATE}"),
        (
            {"first": "2026-11-24", "last": "2026-11-23"},
            "from",
            "The first day is after the last. Swap them.",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence_that_names_it(query: dict, field: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**query)
    assert (refused.value.field, refused.value.sentence) == (field, sentence)
