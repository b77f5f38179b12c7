"""Make booking/static/vendor/govuk-frontend from the npm package: a maintainer's script, not run by users.

    npm pack govuk-frontend@6.3.0 && tar xzf govuk-frontend-6.3.0.tgz
    python docs/vendor_govuk.py package

The font, the crown and the crest are for gov.uk only, so they are taken out; the type becomes one variable.
"""

import re
import shutil
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "booking" / "static" / "vendor" / "govuk-frontend"


def main(package: Path) -> None:
    """Copy the minified CSS and JS, without what belongs to gov.uk alone."""
    dist = package / "dist" / "govuk"
    css = (dist / "govuk-frontend.min.css").read_text("utf-8")
    css = re.sub(r"@font-face\{[^}]*\}", "", css)
    css = re.sub(r"[^{}]*\{[^{}]*govuk-crest\.svg[^{}]*\}", "", css)
    css = css.replace("GDS Transport,arial,sans-serif", "var(--font-sans,sans-serif)")
    css = re.sub(r"/\*# sourceMappingURL.*?\*/", "", css)
    if "url(/assets" in css or "GDS Transport" in css:
        sys.exit("something of gov.uk is left in the CSS: look at how it is written in this version")
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "govuk-frontend.min.css").write_text(css, "utf-8")
    js = (dist / "govuk-frontend.min.js").read_text("utf-8")
    (TARGET / "govuk-frontend.min.js").write_text(re.sub(r"//# sourceMappingURL.*", "", js), "utf-8")
    for licence in package.glob("LICENSE*"):
        shutil.copy(licence, TARGET / "LICENSE.txt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
