"""Descriptions: what organisers write as Markdown, and what must never come out of it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.calendar.markup import LONGEST_KEPT, TAGS, _kept_text, as_html, as_text

TAG = re.compile(r"<\s*/?\s*([a-zA-Z0-9]+)([^>]*)>")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("One\nline\n\nAnother", "<p>One\nline</p>\n<p>Another</p>\n"),
        (
            "**Bring** *coffee*  \nand `cake`",
            "<p><strong>Bring</strong> <em>coffee</em><br>\nand <code>cake</code></p>\n",
        ),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"),
        ("1. one\n2. two", "<ol>\n<li>one</li>\n<li>two</li>\n</ol>\n"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>\n"),
        ("# One\n\n## Two\n\n### Three\n\n#### Four", "<h3>One</h3>\n<h3>Two</h3>\n<h3>Three</h3>\n<h4>Four</h4>\n"),
        ("Title\n===\n\nMore\n---", "<h3>Title</h3>\n<h3>More</h3>\n"),
        ("##### Five\n\n###### Six", "<h4>Five</h4>\n<h4>Six</h4>\n"),
        (
            "[us](https://x.example/a?b=1&c=2)",
            '<p><a href="https://x.example/a?b=1&amp;c=2" rel="nofollow">us</a></p>\n',
        ),
        ('[us](https://x.example "title")', '<p><a href="https://x.example" title="title" rel="nofollow">us</a></p>\n'),
        ("<team@x.example>", '<p><a href="mailto:team@x.example" rel="nofollow">team@x.example</a></p>\n'),
        ("www.x.example and https://x.example", "<p>www.x.example and https://x.example</p>\n"),
        ("![a picture](https://x.example/p.png)", "<p></p>\n"),
        ('AT&T < 3 > 2 "quoted" &amp; &lt;', '<p>AT&amp;T &lt; 3 &gt; 2 "quoted" &amp; &lt;</p>\n'),
        ("1.30pm: 李小龍 🎉", "<p>1.30pm: 李小龍 🎉</p>\n"),
    ],
)
def test_a_description_becomes_simple_html(text: str, html: str) -> None:
    assert as_html(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<h1>Ours</h1>",
        '<a href="javascript:alert(1)">x</a>',
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:msgbox)",
        "[x](ftp://x.example/)",
        "<javascript:alert(1)>",
        "[x]: javascript:alert(1)\n\n[x]",
        "![x](javascript:alert(1))",
        '[x](https://x.example"onclick="alert(1))',
        "<style>*{display:none}</style>",
        "<iframe src=//evil.example></iframe>",
        "<!-- --><!doctype html>",
        "`<script>`\n\n```html\n<script>alert(1)</script>\n```",
    ],
)
def test_nothing_that_runs_comes_out(text: str) -> None:
    html = as_html(text)
    for name, attributes in TAG.findall(html):
        assert name in TAGS
        assert re.fullmatch(r'|\s*/|\s+href="(https?|mailto):[^"]*"\s+rel="nofollow"|\s+rel="nofollow"', attributes)


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="<>[]()!#*_`-&;:/\"'=\\ \njavscriptonlh1")))
def test_only_the_few_tags_come_out_of_any_text(text: str) -> None:
    html = as_html(text)
    assert {name for name, _ in TAG.findall(html)} <= TAGS
    assert not re.search(r"<[^>]*\s(on\w+|style|src)\s*=", html)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("", ""),
        ("One\nline\n\nAnother", "One\nline\n\nAnother"),
        ("**Bring** *coffee*  \nand `cake`", "Bring coffee\nand cake"),
        ("- one\n- **two**\n\nAfter", "- one\n- two\n\nAfter"),
        ("- one\n\n- two", "- one\n\n- two"),
        ("3. one\n4. two", "3. one\n4. two"),
        ("- one\n  - inner\n    more\n- two", "- one\n  - inner\n    more\n- two"),
        ("1. one\n\n   two", "1. one\n\n   two"),
        ("> said\n\nAfter", "said\n\nAfter"),
        ("# One\n\nTwo\n\n---\n\nThree", "One\n\nTwo\n\nThree"),
        ("[us](https://x.example/a?b=1&c=2)", "us (https://x.example/a?b=1&c=2)"),
        ("[**us**, please](https://x.example)", "us, please (https://x.example)"),
        ("[https://x.example](https://x.example)", "https://x.example"),
        ("<https://x.example/é>", "https://x.example/é"),
        ("<team@x.example>", "team@x.example"),
        ("[write](mailto:team@x.example)", "write (team@x.example)"),
        ("[x](javascript:alert(1)) [y](ftp://x.example/)", "[x](javascript:alert(1)) y"),
        ("![a picture](https://x.example/p.png)", ""),
        ("AT&T < 3 &amp; <b>", "AT&T < 3 & <b>"),
        ("    code\n    more", "code\nmore"),
        ("2 * 3 * 4 and snake_case_word", "2 * 3 * 4 and snake_case_word"),
        ("\\*not bold\\*", "*not bold*"),
    ],
)
def test_a_description_becomes_plain_words(text: str, plain: str) -> None:
    assert as_text(text) == plain


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="<>[]()!#*_`-&;:/\"'=\\ \njavscriptonlh1")))
def test_any_description_becomes_some_words(text: str) -> None:
    assert as_text(text) == as_text(text).strip()


def test_plain_words_of_long_descriptions_are_not_kept_in_memory() -> None:
    _kept_text.cache_clear()
    for length in (LONGEST_KEPT, LONGEST_KEPT + 1):
        text = "*" + "a" * (length - 2) + "*"
        assert as_text(text) == as_text(text) == "a" * (length - 2)
    found = _kept_text.cache_info()
    assert (found.currsize, found.hits) == (1, 1)
