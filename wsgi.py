"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi …`."""

import sys

from booking.app import create_app
from booking.core.settings import SettingsError

APP_LOAD_ERROR = 4  # how a worker tells gunicorn to stop; one that ends in another way is started again, for ever

try:
    app = create_app()
except SettingsError as error:
    print(f"Settings: {error}", file=sys.stderr, flush=True)
    sys.exit(APP_LOAD_ERROR if "gunicorn" in sys.modules else 1)
