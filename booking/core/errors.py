"""The one way in which an action says no."""


class Refused(Exception):
    """An action that may not happen, with a sentence for the person who asked for it.

    Nothing has been changed when it is raised out of an atomic action. `field` names the
    form field that the sentence is about, where there is one.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class FormExpired(Exception):
    """A change was about to be made for a form that may change nothing: its token is not good any more."""


def refuse_unless(condition: object, sentence: str, *, field: str | None = None) -> None:
    """Raise Refused with this sentence where the condition does not hold."""
    if not condition:
        raise Refused(sentence, field=field)
