"""Bank holidays in England."""

from datetime import date
from functools import lru_cache

import holidays


def bank_holidays(first: date, last: date) -> dict[date, str]:
    """Return the bank holidays from one day to another, with their names."""
    found: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        found.update({day: name for day, name in _of_year(year).items() if first <= day <= last})
    return found


@lru_cache(maxsize=64)
def _of_year(year: int) -> dict[date, str]:
    return dict(sorted(holidays.country_holidays("GB", subdiv="ENG", years=year).items()))
