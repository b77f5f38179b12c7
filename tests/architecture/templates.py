"""Compile every template: a slip in one is found without opening its page. Run by `make check`."""

import sys

from jinja2 import TemplateSyntaxError

from tests.databases import make_app


def main() -> int:
    app = make_app("sqlite://")
    wrong = 0
    for name in app.jinja_env.list_templates():
        if name.startswith("govuk_frontend_jinja/"):
            continue
        try:
            app.jinja_env.get_template(name)
        except TemplateSyntaxError as error:
            print(f"{name}:{error.lineno}: {error.message}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
