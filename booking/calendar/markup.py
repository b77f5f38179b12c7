"""Descriptions: Markdown without HTML, made safe; and the same in plain words."""

import re
from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

TAGS = {"p", "ul", "ol", "li", "strong", "em", "a", "br", "h3", "h4", "blockquote", "code"}
# Few and short: an entry asks twice for the same, dates of a series have the same, and links can make a text grow.
KEPT, LONGEST_KEPT = 32, 4_000
_ADDRESS = re.compile("https?:|mailto:", re.IGNORECASE)
_LINE = re.compile(r"\n(?=[^\n])")
_HEADING = re.compile(r"(</?h)([1-6])>")
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False})


def as_html(text: str) -> Markup:
    """Return a description as safe HTML. Its headings begin below those of the page."""
    html = _HEADING.sub(lambda tag: f"{tag[1]}{min(max(int(tag[2]), 3), 4)}>", _MARKDOWN.render(text))
    clean = nh3.clean(
        html, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}, link_rel="nofollow"
    )
    return Markup(clean)  # noqa: S704  nh3 has just cleaned it


def as_text(text: str) -> str:
    """Return a description in plain words, for calendars: lists keep their marks, links their addresses."""
    return _kept_text(text) if len(text) <= LONGEST_KEPT else _text(text)


def _text(text: str) -> str:
    return _blocks(SyntaxTreeNode(_MARKDOWN.parse(text)).children).strip()


_kept_text = lru_cache(maxsize=KEPT)(_text)


def _blocks(nodes: Sequence[SyntaxTreeNode], gap: str = "\n\n") -> str:
    return gap.join(words for node in nodes if (words := _block(node)))


def _block(node: SyntaxTreeNode) -> str:
    if node.type in {"code_block", "fence"}:
        return node.content.strip("\n")
    if node.type in {"bullet_list", "ordered_list"}:
        return _list(node)
    if node.type == "inline":
        return _words(node.children)
    return _blocks(node.children)


def _list(node: SyntaxTreeNode) -> str:
    """Return a list with its marks; what is long stands below the words of its item, not below the mark."""
    paragraphs = (child for item in node.children for child in item.children if child.type == "paragraph")
    gap = "\n" if all(paragraph.hidden for paragraph in paragraphs) else "\n\n"
    items = []
    for number, item in enumerate(node.children, int(node.attrs.get("start", 1))):
        mark = f"{number}. " if node.type == "ordered_list" else "- "
        items.append(mark + _LINE.sub("\n" + " " * len(mark), _blocks(item.children, gap)))
    return gap.join(items)


def _words(nodes: Sequence[SyntaxTreeNode]) -> str:
    return "".join(_inline(node) for node in nodes)


def _inline(node: SyntaxTreeNode) -> str:
    if node.type in {"softbreak", "hardbreak"}:
        return "\n"
    if node.type == "link":
        return _link(_words(node.children), str(node.attrs["href"]))
    if node.type == "image":  # pages show none either
        return ""
    return _words(node.children) if node.children else node.content


def _link(words: str, href: str) -> str:
    address = _MARKDOWN.normalizeLinkText(href).removeprefix("mailto:")
    if not _ADDRESS.match(href) or address == words:
        return words
    return f"{words} ({address})" if words else address
