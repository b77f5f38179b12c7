"""Words that are there to explain others: footnotes, keys, and what stands for nothing."""

import re

_FOOTNOTE = re.compile(
    r"[¹²³⁰⁴-⁹†‡§]|(?:key|legend|notes?|foot\s?notes?|n\.?b\.?)\s*:|n\.?b\b\.?\s|"
    r"(?:all\s+|these\s+)?(?:dates|times)(?:\s+(?:and|&)\s+(?:dates|times|venues))?\s+"
    r"(?:may|might|will|are|could|can|subject|to\s+be\s+confirmed|tb[ca])\b",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"(?:tb[cad]|to be (?:confirmed|agreed|announced)|n/?a|none|[-–—\s])*\W*", re.IGNORECASE)


def is_footnote(text: str) -> bool:
    """Tell whether words without a date are no entry: `Key: red = closed`, `¹ venue to follow`, `TBC`."""
    return bool(_FOOTNOTE.match(text.strip()) or _NOTHING.fullmatch(text))
