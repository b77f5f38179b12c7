"""Fixtures of the pages."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.factories import make_organiser, sign_in


@pytest.fixture
def tom(app: Flask, client: FlaskClient) -> FlaskClient:
    """The browser of an organiser."""
    with app.app_context():
        sign_in(client, make_organiser())
    return client
