"""The organisers' pages. Modules beside this one add theirs to the same blueprint."""

from flask import Blueprint

bp = Blueprint("organiser", __name__, url_prefix="/manage")
