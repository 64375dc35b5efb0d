"""Where is what? The addresses of all pages, in one place for templates, handlers and redirects."""

from urllib.parse import quote, urlencode

HOME = "/"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
LANGUAGE = "/preferences/language"
THEME = "/preferences/theme"
WIKI = "/wiki"
NEW_PAGE = "/wiki/new"
PREVIEW = "/wiki/preview"
SETTINGS = "/settings"
TOKENS = "/settings/tokens"
SESSIONS = "/settings/sessions"
OPERATE = "/operate"


def _with(address: str, /, **query: str | int | None) -> str:
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{address}?{asked}" if asked else address


def sign_in(back: str | None = None) -> str:
    """`back` is where the reader goes on afterwards."""
    return _with(SIGN_IN, back=back)


def safe_return(path: str | None) -> str:
    """A path of this site to go back to; Home for anything that would lead elsewhere."""
    if (
        not path
        or not path.isprintable()
        or "\\" in path
        or not path.startswith("/")
        or path.startswith("//")
    ):
        return HOME
    return path


def preview(page_id: str | None = None) -> str:
    """Of a page that is there, or of one that is being begun."""
    return _with(PREVIEW, page=page_id)


def space(space_id: str) -> str:
    return f"/wiki/spaces/{quote(space_id, safe='')}"


def new_page(space_id: str | None = None, path: str | None = None) -> str:
    return _with(NEW_PAGE, space=space_id, path=path)


def page(page_id: str) -> str:
    return f"/wiki/pages/{quote(page_id, safe='')}"


def edit(page_id: str) -> str:
    return f"{page(page_id)}/edit"


def move(page_id: str) -> str:
    return f"{page(page_id)}/move"


def delete(page_id: str) -> str:
    return f"{page(page_id)}/delete"


def restore(page_id: str) -> str:
    """Takes `revision` from the form, or brings a deleted page back without it."""
    return f"{page(page_id)}/restore"


def history(page_id: str, cursor: str | None = None) -> str:
    return _with(f"{page(page_id)}/history", cursor=cursor)


def revision(page_id: str, number: int) -> str:
    return f"{page(page_id)}/revisions/{number}"


def compare(page_id: str, old: int | None = None, new: int | None = None) -> str:
    return _with(f"{page(page_id)}/compare", old=old, new=new)


def rebuild(view: str) -> str:
    return f"{OPERATE}/views/{quote(view, safe='')}/rebuild"


def give_up_rebuild(view: str) -> str:
    return f"{OPERATE}/views/{quote(view, safe='')}/give-up"


def revoke_token(token_id: str) -> str:
    return f"{TOKENS}/{quote(token_id, safe='')}/revoke"


def revoke_session(session_id: str) -> str:
    return f"{SESSIONS}/{quote(session_id, safe='')}/revoke"
