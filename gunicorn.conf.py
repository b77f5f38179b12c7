"""What gunicorn reads before it starts: a bad setting is told once, and not by each worker."""

import gc
import os
import sys

from booking.core.settings import Settings, SettingsError

try:
    Settings.load(os.environ)
except SettingsError as error:
    sys.exit(f"Settings: {error}")


def post_worker_init(_worker: object) -> None:
    """Look for cycles less often: what was made at the start stays, and requests leave few."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
