"""Descriptions: Markdown without HTML, made safe."""

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

TAGS = {"p", "ul", "ol", "li", "strong", "em", "a", "br", "h3", "h4", "blockquote", "code"}
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False})


def as_html(text: str) -> Markup:
    """Return a description as safe HTML. Its headings begin below those of the page."""
    html = _MARKDOWN.render(text).replace("<h1>", "<h3>").replace("</h1>", "</h3>")
    html = html.replace("<h2>", "<h3>").replace("</h2>", "</h3>")
    clean = nh3.clean(
        html, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}, link_rel="nofollow"
    )
    return Markup(clean)  # noqa: S704  nh3 has just cleaned it
