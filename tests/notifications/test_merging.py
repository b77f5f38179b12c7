"""Merge words: each replaced once, unknown ones named, nothing else touched."""

import signal

import pytest

from booking.notifications.merging import fill, why_not

WORDS = ("name", "event", "left")


def test_each_word_is_replaced_once_and_what_is_put_in_is_not_looked_at_again() -> None:
    values = {"name": "Priya [event]", "event": "Forum", "left": ""}
    filled = fill("Dear [Name], [ event ][left]: [see below], [1]", values)
    assert filled == "Dear Priya [event], Forum: [see below], [1]"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Dear [name], see (event) name event [see below] a[0] {}", ""),
        ("[nmae]", "There is no merge word [nmae]. Did you mean [name]?"),
        ("[weather]", "There is no merge word [weather]. You can use [name], [event] and [left]."),
        (
            "[nmae] and [weather], [nmae]",
            "There is no merge word [nmae] and [weather]. You can use [name], [event] and [left].",
        ),
        ("Dear [name, come", "A merge word stands between [ and ]: write [name]."),
        ("Dear Name], come", "A merge word stands between [ and ]: write [name]."),
        ("Dear {name}", "A merge word stands between [ and ]: write [name]."),
    ],
)
def test_what_is_no_merge_word_is_said_with_how_to_mend_it(text: str, sentence: str) -> None:
    assert why_not(text, WORDS) == sentence


@pytest.mark.parametrize("again", ["a", "[ ", "a ", "[", "{ a", " "])
def test_a_long_text_is_read_once(again: str) -> None:
    """Of the processor's time, not the clock's: read from each letter again it takes many minutes."""
    text = again * 400_000

    def stop(*_: object) -> None:
        raise AssertionError("the time grows with the square of the text")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 20)
    try:
        assert why_not(text, WORDS) == ""
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
