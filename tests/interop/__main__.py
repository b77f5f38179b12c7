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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests import databases, processes
from tests.interop.year import Shown, change, fill

HERE = Path(__file__).parent / "readers"
HOME = processes.ROOT / "var" / "interop"
# calcurse and the rest; they need no window.
DEBIAN = (
    *("calcurse", "php-cli", "php-sabre-vobject", "ruby", "ruby-icalendar", "gir1.2-ical-3.0", "python3-gi"),
    "thunderbird",
)
NPM = ("ical.js@2", "node-ical@0.27")
PYPI = ("khal>=0.14", "marionette-driver>=3.7", "radicale>=3.5", "vdirsyncer>=0.20", "vobject")
OWN_PYTHON = HOME / "venv" / "bin" / "python"
THUNDERBIRD_IS_THERE = "import marionette_driver, os; os.stat('/usr/lib/thunderbird/thunderbird')"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that reads calendars, asked by a small script; `check` is what succeeds where it is there.

    One that `subscribes` is asked again when the feed has changed: its script stays, and answers a line of input.
    """

    name: str
    command: str | Path
    check: Sequence[str]
    script: str
    subscribes: bool = False

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
    # The last, since the feed changes under its eyes.
    Program("Thunderbird", OWN_PYTHON, ["-c", THUNDERBIRD_IS_THERE], "thunderbird.py", subscribes=True),
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
def _served() -> Iterator[tuple[str, list[Shown], Callable[[], list[Shown]]]]:
    """Serve an installation with the year in it; gives its address, what has to be seen, and what changes the year."""
    with tempfile.TemporaryDirectory() as folder:
        url = databases.new_sqlite(Path(folder))
        app = databases.make_app(url)

        def changed() -> list[Shown]:
            with app.app_context():
                return change(meant)

        with app.app_context():
            meant = fill()
        with processes.web(url, workers=1) as address:
            yield address, meant, changed
        databases.close(app)


def _answers(program: Program, file: Path, address: str) -> Iterator[list[Shown]]:
    """Yield what a program sees, and once more when its next answer is asked for if it subscribes.

    Raises CalledProcessError where it cannot read the feed.
    """
    script = HOME / "readers" / program.script  # beside what npm installed, where node looks for it
    run = [program.command, str(script), str(file), address]
    # Somewhere else in the world: what is on the wall in Britain must come from the feed alone.
    environment = {**os.environ, "TZ": "America/New_York", "LC_ALL": "C.UTF-8"}
    pipe = subprocess.PIPE
    with subprocess.Popen(run, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as reader:
        if program.subscribes and (answer := reader.stdout.readline()):
            yield _shown(answer)
        try:
            answer, errors = reader.communicate("\n", timeout=120)
        except subprocess.TimeoutExpired:
            reader.kill()
            raise
    if reader.returncode:
        raise subprocess.CalledProcessError(reader.returncode, run, answer, errors)
    yield _shown(answer)


def _shown(answer: str) -> list[Shown]:
    return [
        Shown(one["title"], _same(one["start"]), _same(one["end"]), one.get("status"), one.get("uid"))
        for one in json.loads(answer)
    ]


def _same(when: str) -> str:
    """Return a day as it is, and an instant in UTC to the second."""
    if len(when) == len("2027-01-01"):
        return when
    return f"{datetime.fromisoformat(when).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _differences(
    program: Program, file: Path, address: str, meant: Sequence[Shown], change: Callable[[], Sequence[Shown]]
) -> list[str]:
    """Return in lines what a program sees otherwise than it is meant."""
    answers = _answers(program, file, address)
    try:
        lines = _compared(next(answers), meant)
        if program.subscribes:
            meant = change()
            lines += [f"after the change: {line}" for line in _compared(next(answers), meant)]
    except subprocess.CalledProcessError as failed:
        return [f"cannot read it: {failed.stderr.strip()[-300:]}"]
    return lines


def _compared(answer: Sequence[Shown], meant: Sequence[Shown]) -> list[str]:
    seen, wanted = {one.title: one for one in answer}, {one.title: one for one in meant}
    times = Counter(one.title for one in answer)
    lines = [f"seen {count} times: {title}" for title, count in times.items() if count > 1]
    lines += [f"not meant: {title}" for title in seen.keys() - wanted.keys()]
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
    with _served() as (address, meant, change_it):
        feed = f"{address}/feeds/calendar.ics"
        with urllib.request.urlopen(feed) as answer:
            file.write_bytes(answer.read())
        print(f"{len(meant)} events, {file.stat().st_size} bytes", flush=True)
        for program in PROGRAMS:
            lines = _differences(program, file, feed, meant, change_it) if program.is_there else None
            differ += bool(lines)
            outcome = "NOT THERE, NOT ASKED" if lines is None else "DIFFERS" if lines else "agrees"
            print(f"{program.name:18} {outcome}", *(f"    {line}" for line in lines or []), sep="\n", flush=True)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
