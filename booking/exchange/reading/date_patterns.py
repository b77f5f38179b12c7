"""The shapes of dates and weekdays as people type them: expressions only; dates.py says what they mean."""

import re

_MONTH_WORD = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_MONTH = rf"(?P<month>{_MONTH_WORD})"
_WEEKDAY = r"(?:mon(?:day)?|tues?(?:day)?|wed(?:s|nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
_TH = r"(?:st|nd|rd|th)"
_HALF = r"\s*[ap]\.?m\b"
_DASH = "[-–—]"
_UNIT = (
    r"\s*(?:places?|people|persons?|schools?|settings?|pupils?|children|families|parents?|delegates?|staff|seats?|spaces?|"
    r"tickets?|sencos?|heads?|governors?|tas|attendees|participants|sessions?|tables|min(?:ute)?s?|hours?|hrs?|weeks?|"
    r"days?|noon|midday|o['’]?clock)\b"
)
# Between two days of one list; `_TO` is one that goes from the first to the last.
_TO = rf"(?:\s*{_DASH}\s*|\s+(?:to|until|till)\s+)"
_AND = r"(?:\s*[,;&+/]\s*(?:and\s+|&\s*)?|\s+and\s+)"
_ALSO = rf"(?:{_AND}|{_TO})"
_DAY = rf"\d{{1,2}}{_TH}?"

ISO = re.compile(r"(?<!\d)(?P<year>\d{4})(?P<mark>[-/.])(?P<mon>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)")
# The same mark twice, and no am or pm after it: `9.30-10.30` and `Workshop 4.3.30pm` are times.
NUMBERS = re.compile(
    r"(?:(?<![\d./])|(?<=\.\d\d/)|(?<=\.\d{4}/))(?!\d{1,2}(?:\s-\s?|-\s)\d{1,2}\s?-\s?\d{2}(?!\d))(?P<day>\d{1,2})\s?(?P<mark>[./-])\s?(?P<mon>\d{1,2})\s?(?P=mark)\s?"
    r"(?:(?P<year>\d{4})|(?P<quoted>\d{2}))(?!\d|\s*[ap]\.?m\b)",
    re.IGNORECASE,
)
# Two figures after a month may be a year; none before what makes them a time, a number of things or another date.
_SHORT_YEAR = (
    rf"(?P<short>\d{{2}})(?!\d|{_TH}|[.:]\d|{_HALF}|{_UNIT}|\s*%|\s*(?:of\s+)?(?:{_MONTH_WORD})\b|"
    rf"(?:\s*(?:{_DASH}|/)\s*|\s+(?:to|until)\s+)\d(?!\d?{_TH}?\s*(?:{_MONTH_WORD})\b))"
)
WORDS = re.compile(
    rf"(?<![\d:])(?!(?<=\d\.)\d\d)(?P<day>\d{{1,2}}){_TH}?\s*(?:of\s+)?{_MONTH}\b\.?"
    rf"(?:,?\s+(?P<year>\d{{4}})\b|,?\s*['’](?P<quoted>\d{{2}})\b|,?\s+{_SHORT_YEAR})?",
    re.IGNORECASE,
)
_MORE = (
    rf"(?:{_ALSO}(?:the\s+)?{_DAY}\b"
    rf"(?!\s*[.:]\d|{_HALF}|{_UNIT}|{_TO}[\d.:]+{_HALF}|[-/.]?\s*(?:of\s+)?(?:{_MONTH_WORD})\b))"
)
MONTH_FIRST = re.compile(
    rf"(?<!\d[-/.])\b{_MONTH}\.?\s+(?P<day>\d{{1,2}}){_TH}?\b(?!\s*[.:]\d|{_HALF})(?P<more>{_MORE}{{1,12}})?"
    r"(?:,?\s+(?P<year>\d{4})\b|,?\s*['’](?P<quoted>\d{2})\b)?",
    re.IGNORECASE,
)
MARKED_WORDS = re.compile(
    rf"(?<![\d.])(?P<day>\d{{1,2}})(?P<mark>[-/.]){_MONTH}\b(?:(?P=mark)(?:(?P<year>\d{{4}})|(?P<quoted>\d{{2}})))?(?!\d)",
    re.IGNORECASE,
)
# `6/7 transition` means years 6 and 7; without a year, numbers are a date only at the start of a line, before a colon,
# or as one of a list whose last has a year; and FIGURES where they stand by a week, or where a date has to be.
FIGURES = re.compile(
    rf"(?<![\w./:£])(?P<day>\d{{1,2}})(?P<mark>[./])(?P<mon>0?[1-9]|1[0-2])(?![\w/]|[.:]\d|{_HALF}|\s*%)"
    rf"(?!(?<=\.\d\d){_TO}\d{{1,2}}[.:]\d\d(?!\d))(?!\s*(?:transition|years?|yrs?|class(?:es)?|pupils|children)\b)",
    re.IGNORECASE,
)
_A_TIME = r"(?:noon|midday|\d{1,2}(?:[.:]\d{2})?\s*[ap]\.?m\.?)"
BEFORE_FIGURES = re.compile(
    rf"(?:^[\s*•–—-]*|\b(?:on|date:?)\s+(?:the\s+)?|\bby\s+|\b{_A_TIME}\s+|\b{_WEEKDAY}\.?,?\s+|\(|"
    r"\bw\s?[/.]?\s?[cb]\b\.?:?\s*)$",
    re.IGNORECASE,
)
SHORT = re.compile(r"^(?P<day>\d{1,2})[./](?P<mon>\d{1,2})(?=\s*:)")
LISTED = re.compile(
    r"(?<![\d./:])(?P<day>\d{1,2})(?P<mark>[./])(?P<mon>0?[1-9]|1[0-2])"
    rf"(?=(?:{_ALSO}\d{{1,2}}(?P=mark)\d{{1,2}}){{1,12}}(?P=mark)\d{{2,4}}(?!\d))",
    re.IGNORECASE,
)
PATTERNS = (ISO, NUMBERS, WORDS, MONTH_FIRST, MARKED_WORDS, SHORT, LISTED)

LIST_BEFORE = re.compile(
    rf"(?<![\w.:/£])(?<!\d{_DASH}){_DAY}(?:{_ALSO}(?:{_WEEKDAY}\.?,?\s+)?(?:the\s+)?{_DAY}){{0,12}}{_ALSO}(?:the\s+)?$",
    re.IGNORECASE,
)
LISTED_BEFORE = re.compile(
    rf"(?:(?P<weekday>{_WEEKDAY})\.?,?\s+)?(?:the\s+)?(?P<day>\d{{1,2}}){_TH}?(?P<also>{_ALSO})", re.IGNORECASE
)
LISTED_AFTER = re.compile(rf"(?P<also>{_ALSO})(?:the\s+)?(?P<day>\d{{1,2}}){_TH}?", re.IGNORECASE)
RANGE = re.compile(_TO, re.IGNORECASE)
JOINED = re.compile(rf"{_ALSO}|\s*", re.IGNORECASE)
SURELY_A_LIST = re.compile(r"\band\b|[&+]|\S[-–—/]\S|\bto\b", re.IGNORECASE)
CLEARLY_OVER = re.compile(r"\s*(?:$|[,;:.)\]–—-])")
# What bears numbers: `Workshop 2, 3 December` is workshop 2, `Years 5 & 6` are no days.
NUMBERED = re.compile(
    r"\b(?:panel|workshop|meeting|circle|forum|group|session|part|level|module|week|phase|stage|step|term|class|cohort|"
    r"room|unit|training|course|briefing|network|programme|webinar|event|visit|review|conference|day|no\.?|number)"
    r"(?P<plural>e?s)?\s*$",
    re.IGNORECASE,
)
NUMBERED_YEARS = re.compile(r"\b(?:years?|yrs?|key\s+stages?|ks|ages?|aged|tiers?|bands?)\s*$", re.IGNORECASE)

WEEK = re.compile(
    r"(?:\bw\s?[/.]?\s?[cb]\b\.?:?\s*|\bweek\s+(?:commencing|beginning|starting|of)\s*:?\s*)$", re.IGNORECASE
)
DAY_BEFORE = re.compile(rf"(?P<weekday>\b{_WEEKDAY})\.?,?\s*$", re.IGNORECASE)
DAY_AFTER = re.compile(rf"^\s*[,(]?\s*(?P<weekday>{_WEEKDAY})\b\.?\)?(?!\s+[a-z])", re.IGNORECASE)
_DAYS = rf"(?P<weekdays>{_WEEKDAY}(?P<plural>s)?\b(?:{_ALSO}{_WEEKDAY}s?\b){{0,6}})"
DAYS_BEFORE = re.compile(rf"\b{_DAYS}\.?,?\s*$", re.IGNORECASE)
DAYS_AFTER = re.compile(rf"^\s*[,(]?\s*{_DAYS}\.?\)?(?!\s+[a-z])", re.IGNORECASE)
ONE_DAY = re.compile(rf"\b{_WEEKDAY}", re.IGNORECASE)
DAY_IN_BRACKETS = re.compile(rf"(?P<taken>\(\s*(?P<weekday>{_WEEKDAY})\.?\s*\))", re.IGNORECASE)
DAY_FIRST = re.compile(
    rf"^\s*(?P<weekday>{_WEEKDAY})\b\.?(?:\s+(?:the\s+)?\d{{1,2}}{_TH}\b[\s:,–—-]*|\s*[:,–—-]\s*|\s+(?=\d|@|at\b))",
    re.IGNORECASE,
)
DAY_ALONE = re.compile(rf"\W*(?P<weekday>{_WEEKDAY})\b\W*", re.IGNORECASE)
_CLOCK = r"(?:\d{1,2}(?:[.:]\d{2}|\s*[ap]\.?m\b)|(?:12\s*)?noon\b|midday\b)"
# `Coffee morning Thurs 10am`, but `Good Friday`, `every Friday` and `Friday forum 10am`.
DAY_BEFORE_A_TIME = re.compile(
    rf"(?<=[\w)])(?P<taken>(?:\s+|\s*[,:–—-]\s*)(?:on\s+)?(?P<weekday>{_WEEKDAY})\b\.?,?\s+)"
    rf"(?=(?:at\s+|from\s+|@\s*)?(?:{_CLOCK}|\d{{1,2}}{_TO}\d))",
    re.IGNORECASE,
)
DAY_AFTER_A_TIME = re.compile(
    rf"{_CLOCK}(?P<taken>(?:\s*,\s*|\s+)(?:on\s+)?(?P<weekday>{_WEEKDAY})\b\.?)(?=\s*(?:$|[,(]|at\b))", re.IGNORECASE
)
DAY_LAST = re.compile(
    rf"(?<=[\w)])(?P<taken>(?:\s+|\s*[,:–—-]\s*)(?:on\s+)?(?P<weekday>{_WEEKDAY})\b\.?\s*)$", re.IGNORECASE
)
NAMES_A_DAY = re.compile(
    r"(?:\b(?:good|holiday|ash|shrove|palm|easter|whit|maundy|black|every|each|an?|the|by|from|until|till|to|before|after|and|or|not)|"
    rf"&|/|{_WEEKDAY}\s*[,–—-]?)\s*$",
    re.IGNORECASE,
)
