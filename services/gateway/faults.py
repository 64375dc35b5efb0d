"""What is wrong with a field, in the reader's language: for the rules that every form has, by their codes."""

import re
from collections.abc import Sequence

from services.gateway.locale import SOURCE, Locale

#: How a fault in an import begins: its maker knows what is at fault by the number of its line.
_LINE = re.compile(r"Line (\d+): ")


def fault_said(code: str, message: str, here: Locale) -> str:
    """A service's own sentence in its language or where the code is not one of these."""
    if here.language == SOURCE:
        return message
    line = _LINE.match(message)
    place = here.gettext("Line %(number)s:") % {"number": line[1]} + " " if line else ""
    return place + _sentences(here).get(code, message[line.end() :] if line else message)


def detail_said(faults: Sequence[tuple[str, str]], here: Locale) -> str:
    """What is wrong with the whole, from each field and what is said of it."""
    if len(faults) != 1:
        return here.gettext("Some of this input is not valid. See the fields.")
    ((field, message),) = faults
    return f"{field}: {message}" if field else message


def _sentences(here: Locale) -> dict[str, str]:
    _ = here.gettext
    return {
        "missing": _("This is needed."),
        "extra-forbidden": _("There is no such field."),
        "string-type": _("This must be text."),
        "string-too-short": _("This is too short."),
        "string-too-long": _("This is too long."),
        "string-pattern-mismatch": _("This does not have the form that is needed."),
        "int-type": _("This must be a whole number."),
        "int-parsing": _("This must be a whole number."),
        "int-from-float": _("This must be a whole number."),
        "bool-type": _("This must be true or false."),
        "bool-parsing": _("This must be true or false."),
        "enum": _("Choose one of the values that there are."),
        "literal-error": _("Choose one of the values that there are."),
        "greater-than": _("This is too small."),
        "less-than": _("This is too large."),
        "greater-than-equal": _("This is too small."),
        "less-than-equal": _("This is too large."),
        "too-short": _("There are too few."),
        "too-long": _("There are too many."),
        "text-characters": _("This holds a control character or half of a character. Remove it."),
        "string-unicode": _("This holds a control character or half of a character. Remove it."),
        "text-unreadable": _(
            "Some of this could not be read: \ufffd stands in its place. Mend it, and send it again."
        ),
        "nested-too-deep": _("This is nested too deeply."),
        "number-too-large": _("This number is too large."),
        "not-json": _("Send JSON, as Content-Type: application/json."),
        "json-invalid": _("This is not JSON."),
        "date-parsing": _("This must be a date."),
        "date-type": _("This must be a date."),
        "date-from-datetime-parsing": _("This must be a date."),
        "date-from-datetime-inexact": _("This must be a date."),
        "list-type": _("This must be a list."),
        "tuple-type": _("This must be a list."),
        "set-type": _("This must be a list."),
        "float-type": _("This must be a number."),
        "float-parsing": _("This must be a number."),
        "dict-type": _("This must be an object with named fields."),
        "model-type": _("This must be an object with named fields."),
        "model-attributes-type": _("This must be an object with named fields."),
        "union-tag-not-found": _("Choose one of the values that there are."),
        "union-tag-invalid": _("Choose one of the values that there are."),
        "unreadable": _("The body cannot be read."),
        "datetime-from-date-parsing": _("This must be a date and a time with its offset."),
        "datetime-parsing": _("This must be a date and a time with its offset."),
        "datetime-type": _("This must be a date and a time with its offset."),
        "datetime-object-invalid": _("This must be a date and a time with its offset."),
        "timezone-aware": _("This must be a date and a time with its offset."),
    }
