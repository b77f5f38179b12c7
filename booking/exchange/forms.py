"""A file with contacts."""

from flask_wtf.file import FileField, FileRequired

from booking.core.forms import Form


class ContactsFileForm(Form):
    """Asks for a list of contacts."""

    file = FileField("List of contacts (.xlsx or .csv)", [FileRequired("Choose a file")])
