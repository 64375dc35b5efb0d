"""How does a view become a page? The templates' environment: escaping, texts, formats, icons, addresses."""

import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from services.gateway import locale, places
from services.gateway.assets import GATEWAY, asset_url
from services.gateway.locale import Locale
from services.gateway.view_models import GroupRef, Person, Shell, View

TINTS = 8


def render(view: View, shell: Shell) -> str:
    """The page (or fragment) that shows `view` to this reader. Raises AssetsMissing."""
    return environment().get_template(view.template).render(view=view, shell=shell)


@cache
def environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(GATEWAY / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.policies["ext.i18n.trimmed"] = True
    # The extension adds this method to the environment; its types do not know.
    texts: Any = env
    texts.install_gettext_callables(
        _gettext, _ngettext, newstyle=True, pgettext=_pgettext, npgettext=_npgettext
    )
    env.globals.update(_GLOBALS)
    env.filters.update(_FILTERS)
    return env


def icon(name: str, label: str = "", classes: str = "") -> Markup:
    """A Lucide icon (or `mark`, ours) from the sprite, hidden from screen readers unless it has a label."""
    return _drawn(_sprite(int(time.monotonic())), name, label, classes)


@lru_cache(maxsize=1)
def _sprite(second: int) -> str:
    """Looked up once a second: a page shows a hundred icons."""
    return asset_url("icons.svg")


@lru_cache(maxsize=2_000)
def _drawn(sprite: str, name: str, label: str, classes: str) -> Markup:
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    shape = Markup('<svg class="{}" {}><use href="{}#i-{}"/></svg>')
    return shape.format(f"icon {classes}".rstrip(), said, sprite, name)


def tint(person: Person) -> str:
    """A member's colour: the same everywhere and always, chosen by id."""
    return "gone" if person.state == "erased" else f"t{hue(person.id)}"


def hue(id_: str) -> int:
    """One of the colours, the same for this id everywhere and always."""
    return zlib.crc32(id_.encode()) % TINTS + 1


def _locale(context: Context) -> Locale:
    shell: Shell = context["shell"]
    return shell.locale


@pass_context
def _gettext(context: Context, text: str) -> str:
    return _locale(context).gettext(text)


@pass_context
def _ngettext(context: Context, one: str, many: str, n: int) -> str:
    return _locale(context).ngettext(one, many, n)


@pass_context
def _pgettext(context: Context, about: str, text: str) -> str:
    return _locale(context).pgettext(about, text)


@pass_context
def _npgettext(context: Context, about: str, one: str, many: str, n: int) -> str:
    return _locale(context).npgettext(about, one, many, n)


def _written(by: Callable[[Locale, Any], str]) -> Any:
    """The filter that writes a value as this reader does."""

    @pass_context
    def written(context: Context, value: Any) -> str:
        return by(_locale(context), value)

    return written


def _time(moment: datetime, shown: str, full: str = "") -> Markup:
    title = f' title="{escape(full)}"' if full else ""
    at = moment.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{at}"{title}>{escape(shown)}</time>')  # noqa: S704 - all of it is escaped


@pass_context
def _ago(context: Context, moment: datetime) -> Markup:
    here = _locale(context)
    return _time(moment, here.ago(moment, context["shell"].now), here.moment(moment))


@pass_context
def _moment(context: Context, moment: datetime) -> Markup:
    return _time(moment, _locale(context).moment(moment))


@pass_context
def _day(context: Context, moment: datetime) -> Markup:
    return _time(moment, _locale(context).day(moment))


@pass_context
def _time_there(context: Context, zone: str) -> str:
    return _locale(context).time_in(context["shell"].now, zone)


@pass_context
def _by_name(context: Context, tags: Iterable[str]) -> Sequence[tuple[str, str]]:
    return locale.choices(tags, _locale(context))


@pass_context
def _audience(context: Context, clause: str, groups: Iterable[GroupRef] = ()) -> str:
    """Who a clause lets in, in words: `country:SE&role:leader` is 'Leaders' and 'people in Sweden'. `groups`
    are those whose names this reader may know."""
    shell: Shell = context["shell"]
    viewer = shell.viewer.id if shell.viewer else None
    named = {group.id: group.name for group in groups}
    return " + ".join(_who(token, shell.locale, viewer, named) for token in clause.split("&"))


def _who(token: str, here: Locale, viewer: str | None, groups: Mapping[str, str]) -> str:
    kind, _sep, name = token.partition(":")
    _ = here.gettext
    match kind:
        case "everyone":
            return _("Everyone, guests too")
        case "staff":
            return _("All staff")
        case "unit":
            return _("Unit %(name)s") % {"name": name}
        case "office":
            return _("Office %(name)s") % {"name": name}
        case "group":
            named = groups.get(name)
            return _("Members of %(group)s") % {"group": named} if named else _("Members of a group")
        case "country":
            return _("Staff in %(country)s") % {"country": here.country_name(name)}
        case "language":
            return _("Readers of %(language)s") % {"language": here.language_name(name)}
        case "role":
            return _("Role %(name)s") % {"name": name}
        case "member":
            return _("Only you") if name == viewer else _("One person by name")
    return token


_GLOBALS: dict[str, Any] = {
    "asset_url": asset_url,
    "direction": locale.direction,
    "endonym": locale.endonym,
    "hue": hue,
    "icon": icon,
    "offered": locale.offered,
    "places": places,
    "tint": tint,
}
_FILTERS: dict[str, Any] = {
    "ago": _ago,
    "audience": _audience,
    "by_name": _by_name,
    "country_name": _written(Locale.country_name),
    "day": _day,
    "language_name": _written(Locale.language_name),
    "moment": _moment,
    "month": _written(Locale.month),
    "number": _written(Locale.number),
    "percent": _written(Locale.percent),
    "sentence_case": locale.sentence_case,
    "signed": _written(Locale.signed),
    "size": _written(Locale.size),
    "span": _written(Locale.span),
    "time_there": _time_there,
}
