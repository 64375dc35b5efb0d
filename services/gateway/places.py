"""Where is what? The addresses of all pages, in one place for templates, handlers and redirects."""

from urllib.parse import quote, urlencode

from shared.kernel.errors import NotFound

HOME = "/"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
LANGUAGE = "/preferences/language"
THEME = "/preferences/theme"
NEW_POST = "/posts/new"
REACH = "/posts/reach"
NEW_ANNOUNCEMENT = "/announcements/new"
TOPICS = "/topics"
LIVE = "/api/v1/feed/live"
GROUPS = "/groups"
NEW_GROUP = "/groups/new"
OWNERLESS_GROUPS = "/groups/ownerless"
PEOPLE = "/people"
SEARCH = "/search"
SUGGESTIONS = "/search/suggestions"
MENTIONABLE = "/mentionable"
WIKI = "/wiki"
NEW_PAGE = "/wiki/new"
PREVIEW = "/wiki/preview"
SETTINGS = "/settings"
TOKENS = "/settings/tokens"
SESSIONS = "/settings/sessions"
MY_PROFILE = "/settings/profile"
CREDENTIALS = "/settings/password"
CONSENT = "/settings/privacy"
ADOPTION = "/adoption"
MY_FIGURES = "/adoption/mine"
MY_COACHES = "/adoption/mine/coaches"
COACH = "/adoption/coach"
COACH_POLICIES = "/adoption/policies"
OPERATE = "/operate"
TOUR = "/tour"


def _with(address: str, /, **query: str | int | None) -> str:
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{address}?{asked}" if asked else address


def with_cursor(address: str, cursor: str) -> str:
    """What follows on a page that has no other questions in its address."""
    return _with(address, cursor=cursor)


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


def home(cursor: str | None = None) -> str:
    return _with(HOME, cursor=cursor)


def topic(name: str, cursor: str | None = None) -> str:
    return _with(f"{TOPICS}/{quote(name, safe='')}", cursor=cursor)


def post(post_id: str, cursor: str | None = None, before: str | None = None) -> str:
    """`cursor`: where its comments go on; `before`: where the page before that begins, if not the first."""
    return _with(f"/posts/{quote(post_id, safe='')}", cursor=cursor, before=before)


def edit_post(post_id: str) -> str:
    """Where its author, and whoever keeps order, change or delete it."""
    return f"{post(post_id)}/edit"


def delete_post(post_id: str) -> str:
    return f"{post(post_id)}/delete"


def post_language(post_id: str) -> str:
    return f"{post(post_id)}/language"


def react(post_id: str) -> str:
    return f"{post(post_id)}/reaction"


def acknowledge(post_id: str) -> str:
    return f"{post(post_id)}/acknowledgement"


def report(post_id: str, cursor: str | None = None, show: str | None = None) -> str:
    """Who has acknowledged an announcement, and who has not."""
    return _with(f"{post(post_id)}/acknowledgements", show=show, cursor=cursor)


def report_csv(post_id: str) -> str:
    return f"{report(post_id)}.csv"


def comments(post_id: str) -> str:
    return f"{post(post_id)}/comments"


def comment(post_id: str, comment_id: str) -> str:
    """Where one comment stands on its post's page."""
    return f"{post(post_id)}#comment-{quote(comment_id, safe='')}"


def change_comment(post_id: str, comment_id: str, what: str) -> str:
    """`what` is edit, delete, language or reaction."""
    return f"{comments(post_id)}/{quote(comment_id, safe='')}/{what}"


def picture(picture_id: str, size: str | None = None) -> str:
    """The large one; or the `small` one, or what is `moving`."""
    return _with(f"/api/v1/pictures/{quote(picture_id, safe='')}", size=size)


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


def nowhere() -> NotFound:
    """What somebody hears who asks for an address that there is not, or not for them."""
    return NotFound("no-such-address", "There is nothing at this address.")


def groups(
    q: str | None = None, cursor: str | None = None, mine: str | None = None, asked: str | None = None
) -> str:
    """`mine`, `asked`: where the reader's own go on, and those that they are asked into, of which the first
    are on the page itself."""
    return _with(GROUPS, q=q, cursor=cursor, mine=mine, asked=asked)


def group(group_id: str, cursor: str | None = None) -> str:
    return _with(f"{GROUPS}/{quote(group_id, safe='')}", cursor=cursor)


def group_people(group_id: str, cursor: str | None = None, asked: str | None = None) -> str:
    """`asked`: where those go on who are asked in."""
    return _with(f"{group(group_id)}/people", cursor=cursor, asked=asked)


def describe_group(group_id: str) -> str:
    return f"{group(group_id)}/edit"


def join_group(group_id: str) -> str:
    """Also how an invitation is accepted."""
    return f"{group(group_id)}/join"


def leave_group(group_id: str) -> str:
    return f"{group(group_id)}/leave"


def decline(group_id: str) -> str:
    return f"{group(group_id)}/decline"


def invite(group_id: str, q: str | None = None) -> str:
    return _with(f"{group(group_id)}/invite", q=q)


def find_owner(group_id: str, q: str | None = None) -> str:
    """Where an administrator chooses one, and where they send their choice."""
    return _with(f"{group(group_id)}/owner", q=q)


def take_back(group_id: str, member_id: str) -> str:
    return f"{group(group_id)}/invitations/{quote(member_id, safe='')}/take-back"


def remove_member(group_id: str, member_id: str) -> str:
    return f"{group(group_id)}/people/{quote(member_id, safe='')}/remove"


def change_standing(group_id: str, member_id: str) -> str:
    return f"{group(group_id)}/people/{quote(member_id, safe='')}/standing"


def people(**asked: str | None) -> str:
    return _with(PEOPLE, **asked)


def member(member_id: str) -> str:
    return f"{PEOPLE}/{quote(member_id, safe='')}"


def search(**asked: str | None) -> str:
    return _with(SEARCH, **asked)


def adoption(**asked: str | None) -> str:
    """`as_of` a day, `unit` an id."""
    return _with(ADOPTION, **asked)


def figure(name: str, **asked: str | None) -> str:
    """One metric with its past; `from`, `to` and `as_of` days, `by` unit, country or language, `unit` an id:
    that alone."""
    return _with(f"{ADOPTION}/{quote(name, safe='')}", **asked)


def counted(name: str, **asked: str | None) -> str:
    """What a figure counts; `period`, `group`, `as_of`, `cursor`; `from` and `to` for the way back."""
    return _with(f"{ADOPTION}/{quote(name, safe='')}/events", **asked)


def figure_csv(name: str, **asked: str | None) -> str:
    return _with(f"/api/v1/metrics/{quote(name, safe='')}", format="csv", **asked)


def coach_list(list_id: str, more: str | None = None) -> str:
    """`more`: there are others than those on the list."""
    return _with(f"{COACH}/lists/{quote(list_id, safe='')}", more=more)


def coach_offers(list_id: str) -> str:
    return f"{coach_list(list_id)}/offers"


def rebuild(view: str) -> str:
    return f"{OPERATE}/views/{quote(view, safe='')}/rebuild"


def give_up_rebuild(view: str) -> str:
    return f"{OPERATE}/views/{quote(view, safe='')}/give-up"


def revoke_token(token_id: str) -> str:
    return f"{TOKENS}/{quote(token_id, safe='')}/revoke"


def revoke_session(session_id: str) -> str:
    return f"{SESSIONS}/{quote(session_id, safe='')}/revoke"
