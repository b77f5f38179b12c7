"""Pages for organisers."""

from flask import Blueprint

bp = Blueprint("bookings_manage", __name__, url_prefix="/manage/events")
