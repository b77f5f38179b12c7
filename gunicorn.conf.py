"""What gunicorn reads before it starts: a bad setting is told once, and not by each worker."""

import os
import sys

from booking.core.settings import Settings, SettingsError

try:
    Settings.load(os.environ)
except SettingsError as error:
    sys.exit(f"Settings: {error}")
