"""An organiser takes in a list of contacts, by real forms."""

import io
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.directory.models import School, SchoolContact
from tests.exchange import grown
from tests.factories import make_school
from tests.forms import Forms, errors, outcome, told

PATH = "/manage/schools/import"
FILE = """\
School,Name,Role,E-mail,From,To
Oakhurst Primary,Priya Nair,SENCo,priya@oak.example,,
Millbrook,Ravi,Head,r@m.example,,
"""


@pytest.fixture(autouse=True)
def _schools(app: Flask) -> None:
    with app.app_context():
        for name in ("Oakhurst Primary School", "Millbrook High School", "Millbrook Junior School"):
            make_school(name)


def choose(tom: FlaskClient, text: str, name: str = "contacts.csv"):
    return tom.post(PATH, data={"file": (io.BytesIO(text.encode()), name)}, content_type="multipart/form-data")


def test_a_list_is_shown_its_doubts_are_settled_and_it_is_taken_in_once(app: Flask, tom: FlaskClient) -> None:
    assert f'href="{PATH}"' in tom.get("/manage/schools/").text
    assert "What would change" not in tom.get(PATH).text
    page = choose(tom, FILE)
    assert (page.status_code, "1 new, 1 in doubt" in page.text) == (200, True)
    form = Forms(page).forms[PATH]
    assert form["line-3"] == [""]
    again = tom.post(PATH, data=form)
    assert ("1 in doubt" in again.text, outcome(again)) == (True, None)
    with app.app_context():
        assert db.session.query(SchoolContact).count() == 0
        high = db.session.query(School).filter_by(name="Millbrook High School").one().id
    done = tom.post(PATH, data={**form, "line-3": f"{high}"}, follow_redirects=True)
    assert (outcome(done), told(done)) == ("saved", ["Contacts: 2 new."])
    twice = tom.post(PATH, data={**form, "line-3": f"{high}"}, follow_redirects=True)
    assert told(twice) == ["Nothing has changed: the directory says the same."]
    with app.app_context():
        assert {one.email for one in db.session.query(SchoolContact)} == {"priya@oak.example", "r@m.example"}
        assert db.session.query(AuditEntry).count() == 2


def test_a_row_may_be_left_out(app: Flask, tom: FlaskClient) -> None:
    form = Forms(choose(tom, FILE)).forms[PATH]
    done = tom.post(PATH, data={**form, "line-3": "out"}, follow_redirects=True)
    assert told(done) == ["Contacts: 1 new."]


def test_rows_that_cannot_be_are_named_and_nothing_can_be_taken_in(app: Flask, tom: FlaskClient) -> None:
    page = choose(tom, FILE + "Oakhurst Primary,Someone,caretaker,x,,\n")
    assert "“caretaker” is no role we know" in page.text
    assert "“x” cannot be an e-mail address" in page.text
    assert "Take this in" not in page.text
    forced = tom.post(PATH, data={**Forms(page).forms[PATH], "line-3": "out"})
    assert "Nothing can be taken in yet" in forced.text
    with app.app_context():
        assert db.session.query(SchoolContact).count() == 0


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        (FILE, "contacts.docx", "A .docx file cannot be read. Open it in your spreadsheet program"),
        ("", "contacts.csv", "The file is empty."),
        ("a,b\n1,2\n", "contacts.csv", "There is no row with the names of the columns."),
        (FILE, "contacts.xlsx", "This is not a spreadsheet, or it is damaged."),
    ],
)
def test_a_file_that_is_no_list_is_told_at_its_field(tom: FlaskClient, text: str, name: str, sentence: str) -> None:
    page = choose(tom, text, name)
    ((field, said),) = errors(page)
    assert (page.status_code, outcome(page), field, said.startswith(sentence)) == (422, "invalid", "file", True)


def test_no_file_and_rows_of_nobody_are_told(tom: FlaskClient) -> None:
    page = tom.post(PATH, data={})
    assert (page.status_code, errors(page)) == (422, [("file", "Choose a file")])
    page = tom.post(PATH, data={"rows": "nonsense"})
    assert (page.status_code, outcome(page)) == (409, "refused")


def test_the_command_says_what_it_did_and_refuses_a_doubt(app: Flask, tmp_path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(FILE.rpartition("Millbrook")[0])
    bad.write_text(FILE)
    run = app.test_cli_runner().invoke
    assert run(args=["contacts", "import", str(good)]).output == "1 added, 0 changed, 0 ended, 0 unchanged.\n"
    assert run(args=["contacts", "import", str(good)]).output == "0 added, 0 changed, 0 ended, 1 unchanged.\n"
    answer = run(args=["contacts", "import", str(bad)])
    doubt = "Row 3: it is not clear which school is meant. Write its whole name or its URN."
    assert (answer.exit_code, doubt in answer.output) == (1, True)


@pytest.mark.parametrize("name", ["far-single-quotes", "merged"])
def test_a_workbook_that_grows_is_told_at_its_field_and_by_the_command(
    app: Flask, tom: FlaskClient, tmp_path: Path, name: str
) -> None:
    data = grown.books()[name]
    page = tom.post(PATH, data={"file": (io.BytesIO(data), "a.xlsx")}, content_type="multipart/form-data")
    assert (page.status_code, [field for field, _ in errors(page)]) == (422, ["file"])
    file = tmp_path / "a.xlsx"
    file.write_bytes(data)
    for command in (["contacts", "import", str(file)], ["calendar", "import", str(file), "--dry-run"]):
        said = app.test_cli_runner().invoke(args=command)
        assert (said.exit_code, "Traceback" in said.output, len(said.output.splitlines())) == (1, False, 1)
