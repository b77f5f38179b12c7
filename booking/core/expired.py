"""Forms that we cannot take: nothing is changed by them, and what was typed comes back with a fresh token.

A form is taken where its token and the session's agree. A Referer is not asked for: browsers, proxies and school
filters strip it. Where the browser says which site the form stood on, that has to be ours.
"""

from flask import Flask, Response, current_app, g, make_response, render_template, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf

from booking.core.db import has_expired
from booking.core.errors import FormExpired

SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
TOKEN = "csrf_token"  # noqa: S105  the name of a field
csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Look at the token of each form. Called last, so that other refusals come before."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # `_check` does
    app.config["WTF_CSRF_SSL_STRICT"] = False
    csrf.init_app(app)
    app.jinja_env.globals["form_has_expired"] = has_expired
    app.before_request(_check)
    app.after_request(_give_back)
    app.register_error_handler(FormExpired, lambda _: (send_again(), 422))
    app.register_error_handler(CSRFError, _not_from_our_page)


def _check() -> None:
    if request.method in SAFE or not current_app.config["WTF_CSRF_ENABLED"]:
        return
    try:
        csrf.protect(apply_exemptions=True)
    except CSRFError:
        if not _has_token() or _comes_from_elsewhere():
            raise
        had_cookie = TOKEN in session
        generate_csrf()  # so that a session that is new holds it too
        g.form_expired = {"had_cookie": had_cookie, "session": dict(session)}
    else:
        if g.get("csrf_valid") and _comes_from_elsewhere():
            raise CSRFError("the form stood on another site")


def _has_token() -> bool:
    return bool(request.form.get(TOKEN) or request.headers.get("X-CSRFToken"))


def _comes_from_elsewhere() -> bool:
    """Tell whether the browser says that the form stood on another site. It may say `null`: that tells nothing."""
    origin = request.headers.get("Origin", "null").lower()
    if origin == "null":
        return request.headers.get("Sec-Fetch-Site", "") in {"cross-site", "same-site"}
    return origin not in {request.host_url.rstrip("/").lower(), str(current_app.config["BASE_URL"]).lower()}


def _give_back(response: Response) -> Response:
    """Put back the session of a form that has expired; a page that would follow it is not what became of it."""
    if not has_expired():
        return response
    session.clear()
    session.update(g.form_expired["session"])
    g.pop("_login_user", None)  # Flask-Login reads it from the session again
    if 300 <= response.status_code < 400:
        return make_response(send_again(), 422)
    return response


def send_again(*, signed_out: bool = False) -> str:
    """Return a page that holds all that was sent, with a button that sends it again.

    For forms whose page we cannot show with what was typed: a row of buttons, ticks in a list, pages for which
    somebody has to sign in again.
    """
    typed = [(name, value) for name, value in request.form.items(multi=True) if name != TOKEN]
    words = [value for _, value in typed if any(letter.isspace() or letter == "@" for letter in value.strip())]
    address = request.full_path.rstrip("?")
    return render_template(
        "errors/send_again.html", typed=typed, words=words, address=address, signed_out=signed_out, outcome="invalid"
    )


def has_typed() -> bool:
    """Tell whether the form under way holds anything that would be lost."""
    return request.method == "POST" and any(value for name, value in request.form.items(multi=True) if name != TOKEN)


def _not_from_our_page(_error: CSRFError) -> tuple[str, int]:
    return (
        render_template(
            "errors/error.html",
            code=400,
            title="We could not take this form",
            sentence="It did not come from a page of this website, or your browser keeps no cookies for it. "
            "Nothing has been changed. Open the page again and fill in the form there.",
            outcome="refused",
        ),
        400,
    )
