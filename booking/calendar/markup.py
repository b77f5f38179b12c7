"""Descriptions: Markdown without HTML, made safe."""

import re

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

TAGS = {"p", "ul", "ol", "li", "strong", "em", "a", "br", "h3", "h4", "blockquote", "code"}
_HEADING = re.compile(r"(</?h)([1-6])>")
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False})


def as_html(text: str) -> Markup:
    """Return a description as safe HTML. Its headings begin below those of the page."""
    html = _HEADING.sub(lambda tag: f"{tag[1]}{min(max(int(tag[2]), 3), 4)}>", _MARKDOWN.render(text))
    clean = nh3.clean(
        html, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}, link_rel="nofollow"
    )
    return Markup(clean)  # noqa: S704  nh3 has just cleaned it
