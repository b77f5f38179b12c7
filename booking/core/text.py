"""Text as it is compared, shown in an address, or read aloud over the telephone."""

import re
import secrets
import unicodedata
from collections.abc import Iterable

# Without 0 O 1 I L 5 S U V: nobody should have to ask which one it is, and no rude word comes out.
REFERENCE_LETTERS = "ABCDEFGHJKMNPQRTWXYZ2346789"
# With those that would show the text after them backwards; marks of direction alone (U+200E, U+200F) do no harm.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


def one_line(text: str) -> str:
    """Return the text with control characters and line breaks as single spaces: safe in a header."""
    return " ".join(_CONTROL.sub(" ", text).split())


def paragraphs(text: str) -> str:
    """Return the text without control characters, with line feeds for line breaks."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def and_list(names: Iterable[str]) -> str:
    """Return `Ada`, `Ada and Ravi`, `Ada, Ravi and Uma`; nothing for none."""
    *others, last = [*names] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def email_key(address: str) -> str:
    """Return the address as it is compared and stored: trimmed, lower case."""
    return address.strip().lower()


def name_key(name: str) -> str:
    """Return the name as it is compared: compatible forms, case, accents and spacing made equal."""
    decomposed = unicodedata.normalize("NFKD", one_line(name).casefold())
    plain = "".join(letter if _is_spelt(letter) else " " for letter in decomposed if not _is_accent(letter))
    return " ".join(plain.split()) or one_line(name).casefold()


def _is_accent(letter: str) -> bool:
    """Tell whether this is an accent, or a point of Hebrew or Arabic: people leave them out.

    Vowel signs, tones and voicing of other scripts combine too, but make another name.
    """
    kind = unicodedata.combining(letter)
    return kind == 1 or 10 <= kind <= 36 or kind >= 200


def _is_spelt(letter: str) -> bool:
    """Tell whether a name is spelt with this: a letter, a digit, or a mark that makes another letter of one."""
    return letter.isalnum() or letter == "_" or unicodedata.category(letter)[0] == "M"


def slug(text: str, *, otherwise: str = "event") -> str:
    """Return lower-case ASCII words joined by hyphens, at most 60 characters; `otherwise` where nothing is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_text.replace("'", "")).strip("-")
    return words[:60].rstrip("-") or otherwise


def reference() -> str:
    """Return a new reference for a booking, as `7K2Q-M4TX`: 27 letters to the power of 8, unique by constraint."""
    letters = "".join(secrets.choice(REFERENCE_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
