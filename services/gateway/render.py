"""How does a view become a page? The templates' environment: escaping, texts, formats, icons, addresses."""

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from services.gateway import locale, places
from services.gateway.assets import GATEWAY, asset_url
from services.gateway.clauses import Words
from services.gateway.locale import Locale
from services.gateway.view_models import GroupRef, Person, Shell, View
from shared.kernel.audience import GROUP, UNIT

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
    """Who a clause lets in, in words. `groups` are those whose names this reader may know, beside their own
    in the navigation."""
    shell: Shell = context["shell"]
    named = {f"{GROUP}{group.id}": group.name for group in (*shell.groups, *groups)}
    named |= {f"{UNIT}{unit_id}": name for unit_id, name in shell.units.items()}
    return Words(shell.locale, shell.viewer.id if shell.viewer else None, named).said(clause)


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
