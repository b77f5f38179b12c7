"""Text as it is compared, shown in an address, or read aloud."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.core.text import REFERENCE_LETTERS, email_key, name_key, one_line, paragraphs, reference, slug


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Priya   Nair ", "Priya Nair"),
        ("Priya\r\nBcc: evil@example.org", "Priya Bcc: evil@example.org"),
        ("a\x00b\x07c\x7fd\x85e\u2028f\ufeffg", "a b c d e f g"),
        ("tab\tand\vmore", "tab and more"),
        ("Ann\u202egro.live\u2066x", "Ann gro.live x"),  # what follows would be shown backwards
        ("Siân O’Brien-Çelik 李小龍 🎉", "Siân O’Brien-Çelik 李小龍 🎉"),
        ("\n", ""),
    ],
)
def test_one_line_is_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_one_line_is_safe_in_a_header_whatever_comes(text: str) -> None:
    line = one_line(text)
    assert not any(unicodedata.category(letter) in {"Cc", "Zl", "Zp"} for letter in line)
    assert len(f"{line}x".splitlines()) == 1
    assert one_line(line) == line


def test_paragraphs_keep_line_breaks_and_lose_what_cannot_be_seen() -> None:
    assert paragraphs("  One\r\n\r\nTwo\rThree\x00\x08\n ") == "One\n\nTwo\nThree"


def test_an_address_is_compared_without_case_and_space() -> None:
    assert email_key("  Priya@School.Example \n") == "priya@school.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Priya Nair", "  PRIYA   nair"),
        ("Siân O’Brien", "sian o'brien"),
        ("Zoë-Anne Müller", "Zoe Anne Mu\u0308ller"),
        ("STRASSE", "straße"),
        ("ﬁona", "Fiona"),
        ("İpek", "ipek"),
        ("St. Mary’s CE (VA) School", "St Mary's CE VA School"),
    ],
)
def test_names_that_people_take_for_the_same_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize("name", ["李小龍", "()", "🎉", "Анна"])
def test_a_name_of_any_script_has_a_key_of_its_own(name: str) -> None:
    assert name_key(name)
    assert name_key(name) != name_key("Priya Nair")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("मीना", "मोना"),  # vowel signs
        ("কর্ম", "করম"),  # a virama
        ("ரவி", "ரவு"),
        ("สม", "ส้ม"),  # a tone
        ("かな", "がな"),  # a voiced sound
        ("한나", "하나"),
    ],
)
def test_names_that_differ_in_their_script_have_keys_that_differ(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(("one", "other"), [("محمد", "مُحَمَّد"), ("שלום", "שָׁלוֹם"), ("राम  दास", "राम दास")])
def test_points_that_are_mostly_left_out_make_no_other_name(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("SENCo forum (1)", "senco-forum-1"),
        ("Parents’ evening: “the summer”", "parents-evening-the-summer"),
        ("Café – Ünïcode", "cafe-unicode"),
        ("李小龍", "event"),
        ("../../etc/passwd", "etc-passwd"),
        ("long " * 30, "long-long-long-long-long-long-long-long-long-long-long-long"),
    ],
)
def test_a_slug_is_words_that_everybody_can_type(title: str, words: str) -> None:
    assert slug(title) == words


@given(st.text())
def test_a_slug_is_lower_case_ascii_with_hyphens_whatever_comes(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(text))
    assert len(slug(text)) <= 60


def test_a_reference_can_be_read_aloud() -> None:
    references = {reference() for _ in range(500)}
    assert len(references) == 500
    assert all(re.fullmatch(f"[{REFERENCE_LETTERS}]{{4}}-[{REFERENCE_LETTERS}]{{4}}", one) for one in references)
    assert not set(REFERENCE_LETTERS) & set("0O1IL5SUV")
