"""Who is meant by an audience, in the reader's words: clause by clause, and all that somebody chose at once.

A clause of several conditions is one phrase: `country:SE&role:leader` are 'Leaders (Sweden)'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.gateway.locale import Locale, sentence_case

#: Of several conditions, the one that says who they are stands first; the others tell them apart.
_FIRST = ("member", "role", "group", "country", "language", "unit", "office", "staff", "everyone")
#: Conditions that say where somebody is.
_PLACES = ("country", "unit", "office")


@dataclass(frozen=True, slots=True)
class Words:
    """One reader's. `viewer` is their id; `named` what clauses of groups and units are called, as far as
    this reader may know."""

    here: Locale
    viewer: str | None = None
    named: Mapping[str, str] = field(default_factory=dict)

    def said(self, clause: str) -> str:
        first, *others = self._in_order(clause)
        places = [self._narrower(token) for token in others if _kind(token) in _PLACES]
        people = [self._narrower(token) for token in others if _kind(token) not in _PLACES]
        phrases = [self._who(first), ", ".join(places), self.here.all_of(people) if people else ""]
        return " ".join(phrase for phrase in phrases if phrase)

    def told(self, clauses: Sequence[str], *, every: bool) -> str:
        """The sentence for what somebody chose: whoever fits any of it, or (`every`) one of each kind."""
        kinds: dict[str, list[str]] = {}
        for clause in clauses:
            kinds.setdefault(_kind(clause), []).append(self._condition(clause))
        _ = self.here.gettext
        conditions = [self._conditions(kind, names) for kind, names in kinds.items()]
        joined = (_(", and ") if every else _(", or ")).join(conditions)
        if every and len(conditions) > 1:
            return _("It goes only to those %(conditions)s.") % {"conditions": joined}
        return _("It goes to those %(conditions)s.") % {"conditions": joined}

    def role(self, name: str) -> str:
        """Those who have it, as within a sentence."""
        _ = self.here.gettext
        roles = {
            "leader": _("leaders"),
            "editor": _("editors"),
            "translator": _("translators"),
            "ambassador": _("ambassadors"),
            "coach": _("coaches"),
            "board": _("members of the digital board"),
            "operator": _("operators of the platform"),
            "admin": _("administrators"),
        }
        return roles.get(name) or _("people with the role %(name)s") % {"name": name}

    def _in_order(self, clause: str) -> list[str]:
        """Without what the others say already: who is in a country is staff, and everybody is among all."""
        tokens = sorted(clause.split("&"), key=lambda token: (_place(token), token))
        implied = {"everyone", *(["staff"] if _kind(tokens[0]) == "country" else [])}
        return [tokens[0], *(token for token in tokens[1:] if token not in implied)]

    def _who(self, token: str) -> str:
        kind, _sep, name = token.partition(":")
        _ = self.here.gettext
        match kind:
            case "everyone":
                return _("Everyone, guests too")
            case "staff":
                return _("All staff")
            case "unit":
                named = self.named.get(token)
                return _("Unit %(name)s") % {"name": named} if named else _("A unit")
            case "office":
                return _("Office %(name)s") % {"name": name}
            case "group":
                named = self.named.get(token)
                return _("Members of %(group)s") % {"group": named} if named else _("Members of a group")
            case "country":
                # Within a sentence some names would need an article: "in the United Kingdom".
                return _("Staff (%(country)s)") % {"country": self.here.country_name(name)}
            case "language":
                return _("Readers of %(language)s") % {"language": self.here.language_name(name)}
            case "role":
                return sentence_case(self.role(name))
            case "member":
                return _("Only you") if name == self.viewer else _("One person by name")
        return token

    def _narrower(self, token: str) -> str:
        """What tells some from the others, behind who they are."""
        kind, _sep, name = token.partition(":")
        _ = self.here.gettext
        match kind:
            case "country":
                return f"({self.here.country_name(name)})"
            case "unit":
                named = self.named.get(token)
                return _("in the unit %(name)s") % {"name": named} if named else _("in a unit")
            case "office":
                return _("at the office %(name)s") % {"name": name}
            case "staff":
                return _("who are staff")
        return self._conditions(kind, [self._condition(token)])

    def _condition(self, token: str) -> str:
        """What it is called within a sentence that says of what kind it is."""
        kind, _sep, name = token.partition(":")
        match kind:
            case "country":
                return self.here.country_name(name)
            case "language":
                return self.here.language_name(name)
            case "role":
                return self.role(name)
            case "group":
                return self.named.get(token) or self.here.gettext("a group")
            case "unit":
                return self.named.get(token) or self.here.gettext("a unit")
        return name

    def _conditions(self, kind: str, names: Sequence[str]) -> str:
        """One kind, of which one of several is enough."""
        _ = self.here.gettext
        any_of = {"names": self.here.one_of(names)}
        match kind:
            case "country":
                # not "in": some names would need an article
                return _("whose country is %(names)s") % any_of
            case "language":
                return _("who read %(names)s") % any_of
            case "role":
                return _("who are %(names)s") % any_of
            case "group":
                return _("who are members of %(names)s") % any_of
            case "unit":
                return _("who belong to %(names)s") % any_of
            case "office":
                return _("who are at the office %(names)s") % any_of
        return any_of["names"]


def _kind(token: str) -> str:
    return token.partition(":")[0]


def _place(token: str) -> int:
    kind = _kind(token)
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
