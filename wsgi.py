"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi …`."""

import sys

from booking.app import create_app
from booking.core.settings import SettingsError

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"Settings: {error}")
