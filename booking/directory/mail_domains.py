"""Mail domains that anybody can have an address at: such an address says nothing of where somebody works. Pure."""

# Of providers with addresses in many countries, the part before the first dot; of others, the domain.
_EVERYWHERE = frozenset({"gmx", "hotmail", "live", "msn", "outlook", "yahoo", "ymail", "rocketmail"})
_SHARED = frozenset(
    {
        "aol.co.uk",
        "aol.com",
        "blueyonder.co.uk",
        "btinternet.com",
        "btopenworld.com",
        "duck.com",
        "fastmail.com",
        "fastmail.fm",
        "freeserve.co.uk",
        "gmail.com",
        "googlemail.com",
        "hey.com",
        "hushmail.com",
        "icloud.com",
        "lineone.net",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "ntlworld.com",
        "o2.co.uk",
        "orange.net",
        "plus.com",
        "pm.me",
        "privaterelay.appleid.com",
        "proton.me",
        "protonmail.ch",
        "protonmail.com",
        "qq.com",
        "sky.com",
        "supanet.com",
        "talk21.com",
        "talktalk.net",
        "tiscali.co.uk",
        "tuta.com",
        "tutanota.com",
        "virgin.net",
        "virginmedia.com",
        "wanadoo.co.uk",
        "web.de",
        "yandex.com",
        "zoho.com",
        "163.com",
    }
)


def is_shared(domain: str) -> bool:
    """Tell whether the public has addresses at a domain (in lower case), such as gmail.com or hotmail.co.uk."""
    return domain in _SHARED or domain.partition(".")[0] in _EVERYWHERE
