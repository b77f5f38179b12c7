"""Titles: the words that are left, and what they tell: kind, category, venue, audience."""

import re
from collections.abc import Collection

LHNF = "High needs funding (LHNF)"
CATEGORIES: tuple[tuple[str, str], ...] = (
    (r"\blhnf\b|high needs", LHNF),
    (r"senco forum|senco network", "SENCo forum"),
    (r"solution circle", "Solution Circle"),
    (r"coffee morning|parent.*(?:drop.?in|coffee)", "Coffee morning"),
    (r"conference", "Conference"),
    (
        r"\b(?:team|board|behaviour board|triage|steering)\b.*meeting|behaviour board|board meeting|triage",
        "Team and boards",
    ),
    (r"consultation day|consultations?\b", "Consultation days"),
    (r"transition", "Transition"),
    (r"briefing|drop.?in|surgery|surgeries", "Briefings and drop-ins"),
    (r"\belsa\b|programme|\bcourse\b", "Programmes and courses"),
    (r"workshop|training|twilight|inset", "Workshops and training"),
    (r"bench.?mark|benching mark|data (?:capture|return)|\breturns?\b|census|monitoring", "Returns and data"),
)
TEAM_ONLY = frozenset({"Team and boards"})
AUDIENCES: tuple[tuple[str, str], ...] = (
    (r"\bparents?\b|\bcarers?\b|famil(?:y|ies)", "Parents and carers"),
    (r"\beyfs\b|early years", "Early years"),
    (r"\bsencos?\b", "SENCos"),
    (r"head ?teachers?\b", "Headteachers"),
    (r"\b(?:teaching assistants?|tas)\b", "Teaching assistants"),
)
_DUE = re.compile(
    r"\bclosing date\b|\bclosing\W*$|\bdeadline\b|\bcloses?\b|\bdue\b|\bsubmit\b|\breturn by\b|"
    r"\blast (?:day|date) (?:for|to)\b|\bcut[\s-]?off\b",
    re.IGNORECASE,
)
_FOR_THE_TEAM = re.compile(
    r"\b(?:lhnf|high needs)\b.*\bpanels?\b|\bpanels?\b.*\b(?:lhnf|high needs)\b|\btransition planning\b", re.IGNORECASE
)
_COMES_TOGETHER = re.compile(
    r"meeting|forum|panel|training|workshop|circle|morning|briefing|group|conference|board|triage|drop.?in|surger|course|"
    r"programme|clinic|event|session|seminar|webinar|consultation|twilight|inset|network|visit|lunch|tea\b|\bday\b",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"\b(?:begins?|starts?|sent|ends?|opens?|census|sats)\b", re.IGNORECASE)
_BRACKETS = re.compile(r"\(([^()]*)\)")
_ON_LINE = re.compile(r"\b(?:ms teams|teams|zoom|on ?line|google meet|virtual)\b", re.IGNORECASE)
# Without brackets, at the end of a title: `Forum - MS Teams`, `Training via Zoom`; but `Behaviour Teams` are people.
_BY_SCREEN = re.compile(
    r"(?:(?:\s+(?:via|on|over|by)\s+|\s*[–—,:]\s*|\s+-\s+)(?P<screen>(?:ms |microsoft )?teams|zoom|google meet)|"
    r"\s+(?P<alone>(?:ms|microsoft) teams|zoom|google meet)|"
    r"(?<!safe)(?<!safely)(?<!safety)(?<!children)(?<!learning)(?:\s+|\s*[–—,:-]\s*)(?P<line>on[\s-]?line))[\s.]*$",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:suite|hall|school|room|centre|center|library|academy|college|church|nursery|house|office|hub|theatre|hotel)\b",
    re.IGNORECASE,
)
_AT = re.compile(r"(?:\s+at\s+|\s*@\s*|,\s*(?:at\s+)?)(?P<place>(?:the\s+)?[A-Z0-9][^()]*)$")


def tidy(text: str) -> str:
    """Return a title without what is left between words that were taken out."""
    text = re.sub(r"\(\s*\)", " ", text)
    text = re.sub(r"\s+([,;:.)])", r"\1", " ".join(text.split()))
    return text.replace("( ", "(").strip(" \t:;,-–—*•·.").strip()


def take_venue(text: str, venues: Collection[str] = ()) -> tuple[str, str | None]:
    """Take a venue out of a title: in brackets, or after `at`. `(1)` is a number and stays."""
    text = " ".join(text.split())
    for match in _BRACKETS.finditer(text):
        inside = tidy(match[1])
        if inside and _is_place(inside, venues):
            return text[: match.start()] + " " + text[match.end() :], inside
    if screen := _BY_SCREEN.search(text):
        return text[: screen.start()], screen["screen"] or screen["alone"] or "On line"
    at = _AT.search(text)
    if at and _is_place(at["place"], venues):
        return text[: at.start()], tidy(re.sub(r"^the\s+", "", at["place"]))
    return text, None


def _is_place(words: str, venues: Collection[str]) -> bool:
    known = words.casefold() in {venue.casefold() for venue in venues}
    return known or bool(_ON_LINE.search(words) or (_PLACE.search(words) and not re.fullmatch(r"[\d\s]+", words)))


def kind_of(title: str, *, has_time: bool) -> str:
    """Return what an entry wants of people: session, deadline or milestone."""
    if _DUE.search(title):
        return "deadline"
    if has_time or (_COMES_TOGETHER.search(title) and not _BEGINS.search(title)):
        return "session"
    return "milestone"


def category_of(title: str) -> str | None:
    """Return the usual kind of event that the words of a title tell, or None."""
    return next((name for pattern, name in CATEGORIES if re.search(pattern, title, re.IGNORECASE)), None)


def visibility_of(title: str, kind: str, category: str | None) -> str | None:
    """Return `team` for what is an internal meeting by its words, else None; what is due for a panel is not."""
    is_panel = category == LHNF and re.search(r"\bpanels?\b", title, re.IGNORECASE)
    internal = category in TEAM_ONLY or (kind == "session" and (is_panel or _FOR_THE_TEAM.search(title)))
    return "team" if internal else None


def audience_of(title: str) -> list[str]:
    """Return whom the words of a title name; `EYFS SENCo forum` is for early years, not for all SENCos."""
    found = [name for pattern, name in AUDIENCES if re.search(pattern, title, re.IGNORECASE)]
    return [name for name in found if name != "SENCos"] if "Early years" in found else found
