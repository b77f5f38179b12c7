"""Let calendar programs read our feed from the running application, and compare what each of them saw.

Programs come from the package managers, into `var/interop` and (where we may) the system. Exit 1 where one sees
something else than is meant; one that is not there is named loudly.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests import databases, processes
from tests.interop.year import Shown, fill

HERE = Path(__file__).parent / "readers"
HOME = processes.ROOT / "var" / "interop"
# calcurse and the rest; they need no window.
DEBIAN = ("calcurse", "php-cli", "php-sabre-vobject", "ruby", "ruby-icalendar", "gir1.2-ical-3.0", "python3-gi")
NPM = ("ical.js@2", "node-ical@0.27")
PYPI = ("khal>=0.14", "radicale>=3.5", "vdirsyncer>=0.20", "vobject")
OWN_PYTHON = HOME / "venv" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that reads calendars, asked by a small script; `check` is what succeeds where it is there."""

    name: str
    command: str | Path
    check: Sequence[str]
    script: str

    @property
    def is_there(self) -> bool:
        """Tell whether it can be asked."""
        try:
            return (
                subprocess.run([self.command, *self.check], cwd=HOME, capture_output=True, check=False).returncode == 0
            )
        except OSError:
            return False


PROGRAMS = [
    Program("ical.js", "node", ["-e", "require.resolve('ical.js')"], "icaljs.mjs"),
    Program("node-ical", "node", ["-e", "require.resolve('node-ical')"], "nodeical.mjs"),
    Program("libical", "/usr/bin/python3", ["-c", "import gi; gi.require_version('ICalGLib', '3.0')"], "libical.py"),
    Program("sabre/vobject", "php", ["-r", "require 'Sabre/VObject/includes.php';"], "sabre.php"),
    Program("Ruby’s icalendar", "ruby", ["-e", "require 'icalendar'"], "ruby.rb"),
    Program("calcurse", sys.executable, ["-c", "import shutil; assert shutil.which('calcurse')"], "calcurse.py"),
    Program("khal, vdirsyncer", OWN_PYTHON, ["-c", "import khal, vdirsyncer"], "khal_vdirsyncer.py"),
    Program("Radicale", OWN_PYTHON, ["-c", "import radicale, vobject"], "radicale_server.py"),
]


def install() -> None:
    """Fetch the programs; whatever cannot be had is named when it is looked for."""
    HOME.mkdir(parents=True, exist_ok=True)
    if shutil.which("npm"):
        _try(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(HOME), *NPM])
    if not OWN_PYTHON.exists():
        venv.create(HOME / "venv", with_pip=True)
    _try([str(OWN_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI])
    if shutil.which("apt-get"):
        may = [] if os.getuid() == 0 else ["sudo", "-n"]
        _try([*may, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN])


def _try(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{' '.join(command[:4])} …: {(done.stderr or done.stdout).strip()[-300:]}", file=sys.stderr)


@contextmanager
def _served() -> Iterator[tuple[str, list[Shown]]]:
    """Serve an installation with the year in it; gives its address, and what has to be seen."""
    with tempfile.TemporaryDirectory() as folder:
        url = databases.new_sqlite(Path(folder))
        app = databases.make_app(url)
        with app.app_context():
            meant = fill()
        databases.close(app)
        with processes.web(url, workers=1) as address:
            yield address, meant


def _seen(program: Program, file: Path, address: str) -> list[Shown]:
    """Return what a program sees. Raises CalledProcessError where it cannot read the feed."""
    script = HOME / "readers" / program.script  # beside what npm installed, where node looks for it
    run = [program.command, str(script), str(file), address]
    # Somewhere else in the world: what is on the wall in Britain must come from the feed alone.
    environment = {**os.environ, "TZ": "America/New_York", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return [
        Shown(one["title"], _same(one["start"]), _same(one["end"]), one.get("status"), one.get("uid"))
        for one in json.loads(done.stdout)
    ]


def _same(when: str) -> str:
    """Return a day as it is, and an instant in UTC to the second."""
    if len(when) == len("2027-01-01"):
        return when
    return f"{datetime.fromisoformat(when).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _differences(program: Program, file: Path, address: str, meant: Sequence[Shown]) -> list[str]:
    """Return in lines what a program sees otherwise than it is meant."""
    try:
        seen = {one.title: one for one in _seen(program, file, address)}
    except subprocess.CalledProcessError as failed:
        return [f"cannot read it: {failed.stderr.strip()[-300:]}"]
    wanted = {one.title: one for one in meant}
    lines = [f"not meant: {title}" for title in seen.keys() - wanted.keys()]
    for title, one in wanted.items():
        shown = seen.get(title)
        if shown is None:
            lines.append(f"not seen: {title}")
        elif shown != (said := _as_far_as_it_says(one, shown)):
            lines.append(f"{shown} for {said}")
    return lines


def _as_far_as_it_says(meant: Shown, shown: Shown) -> Shown:
    """Return what is meant, without what a program does not say at all."""
    silent = {name: None for name in ("status", "uid") if getattr(shown, name) is None}
    return replace(meant, **silent)


def main() -> int:
    """Print for each program whether it sees every event as it is meant."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    install()
    shutil.copytree(HERE, HOME / "readers", dirs_exist_ok=True)
    file, differ = HOME / "feed.ics", 0
    with _served() as (address, meant):
        feed = f"{address}/feeds/calendar.ics"
        with urllib.request.urlopen(feed) as answer:
            file.write_bytes(answer.read())
        print(f"{len(meant)} events, {file.stat().st_size} bytes", flush=True)
        for program in PROGRAMS:
            lines = _differences(program, file, feed, meant) if program.is_there else None
            differ += bool(lines)
            outcome = "NOT THERE, NOT ASKED" if lines is None else "DIFFERS" if lines else "agrees"
            print(f"{program.name:18} {outcome}", *(f"    {line}" for line in lines or []), sep="\n", flush=True)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
