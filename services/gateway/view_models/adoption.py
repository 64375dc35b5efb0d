"""What the pages of figures want: a value with its past, a sentence to say it in, and how it is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Literal

from services.gateway.view_models.coaching import MyCoaches, Tabs
from services.gateway.view_models.shell import Person, View

#: How a value is written: people and acts are whole numbers, a share is 0 to 1, an index -1 to 1.
Unit = Literal["people", "acts", "share", "index", "hours"]
#: How long a period is.
Every = Literal["month", "week"]
#: Of fewer people nothing is told: engagement's rule, as pages say it.
FLOOR = 5


@dataclass(frozen=True, slots=True)
class Spark:
    """A line in a box of 96 by 34, what lies under it, and where it ends. Empty for fewer than two values."""

    line: str = ""
    area: str = ""
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the board's page. `name` is the metric's; `value` is None where nothing was counted or
    nothing may be told. `more` are other measures of the same period, for the sentence. `change` is the
    difference to three periods before, None too where there was nothing to compare with; `new`: so long ago
    nothing was counted at all; `steady`: too little to speak of. `hidden`: of this group nothing may
    be told; `later`: of groups nothing is told yet. `first` is the first day of the period that is told."""

    name: str
    unit: Unit
    value: float | None
    spark: Spark = Spark()
    more: Mapping[str, float | None] = field(default_factory=dict)
    change: float | None = None
    new: bool = False
    steady: bool = True
    hidden: bool = False
    later: bool = False
    first: date | None = None
    every: Every = "month"

    @property
    def rose(self) -> bool:
        return self.change is not None and self.change > 0


@dataclass(frozen=True, slots=True)
class Behind:
    """A language or unit that is left behind, with what is low there: `value` is a share, or an index, of the
    last months together. `rest`: of a unit without those within it that are named themselves; how many people
    that is nobody says."""

    kind: Literal["language", "unit"]
    code: str
    name: str
    value: float
    people: int | None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class UnitChoice:
    """`depth` is 0 at the top; `hidden`: nothing may be told of it."""

    id: str
    name: str
    depth: int
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Counting:
    """As of when, and how much of it is there. `first` is the first day of the period that is told, of which
    groups are told later where not `tells_groups`; up to `recorded_at` everything that came in is counted;
    None where more is waiting."""

    first: date | None
    over: bool
    recorded_at: datetime | None
    behind: bool
    as_of: str = ""
    people: int = 0
    every: Every = "month"
    tells_groups: bool = True


@dataclass(frozen=True, slots=True)
class AdoptionView(View):
    """`figures` in the order in which a board reads. `behind` are all that are left behind, `left_behind` the
    worst. `unit` is what is asked about, else the whole company; `too_few`: of it nothing may be told;
    `nobody`: nobody was counted in it."""

    template: ClassVar[str] = "pages/adoption.html"
    figures: Sequence[Figure]
    counting: Counting
    left_behind: Sequence[Behind] = ()
    behind: int = 0
    units: Sequence[UnitChoice] = ()
    unit: str = ""
    unit_name: str = ""
    floor: int = FLOOR
    too_few: bool = False
    nobody: bool = False
    tabs: Tabs | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """A bar of a plot, as a path, and its label: none where labels would meet. `minor`: a narrow plot leaves
    the label out. `over`: nothing is added to it any more."""

    path: str
    x: float
    label: str
    minor: bool
    over: bool = True


@dataclass(frozen=True, slots=True)
class Plot:
    """Columns over periods in a box of 640 by 340, the lines to read them by, and where each year begins."""

    columns: Sequence[Column]
    grid: Sequence[tuple[float, float]]
    years: Sequence[tuple[float, str]] = ()

    @property
    def all_over(self) -> bool:
        """Whether no column that is drawn can still grow."""
        return all(column.over for column in self.columns if column.path)


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of numbers. `title` is in the reader's language."""

    name: str
    title: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """`tells_groups`: it is over, with all days after it that count. `there`: somebody was counted in the
    group that it is of."""

    label: str
    period: str
    complete: bool
    tells_groups: bool
    values: Mapping[str, float | None]
    there: bool = True


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One unit, country or language in the last month. `values` are empty where they may not be told."""

    group: str
    code: str
    name: str
    depth: int
    people: int | None
    values: Mapping[str, float | None]
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """How it is counted. `title` and `words` are in the reader's language; formula and source are English."""

    name: str
    title: str
    words: str
    formula: str
    source: str
    version: int


@dataclass(frozen=True, slots=True)
class FigureView(View):
    """One metric with its past, by groups or of one unit, with its definition. `may_look_behind`: the reader
    may list what it counts. `since` and `until` are the days that were asked for, as they were typed."""

    template: ClassVar[str] = "pages/figure.html"
    figure: Figure
    definition: Definition
    counting: Counting
    plot: Plot | None
    main: Measure
    measures: Sequence[Measure]
    rows: Sequence[PeriodRow]
    groups: Sequence[GroupRow]
    by: Literal["", "unit", "country", "language"]
    unit: str = ""
    unit_name: str = ""
    since: str = ""
    until: str = ""
    may_look_behind: bool = False
    floor: int = FLOOR
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CountedLine:
    kind: str
    who: Person
    at: datetime
    address: str


@dataclass(frozen=True, slots=True)
class CountedOf:
    """A group whose acts are listed: `by` unit, country or language; no `name`: of whom that is not known."""

    by: str
    name: str


@dataclass(frozen=True, slots=True)
class CountedView(View):
    """The events that a figure counts, of all or of a group; `as_of` is the last day that
    counts, in words."""

    template: ClassVar[str] = "pages/figure_events.html"
    definition: Definition
    label: str
    lines: Sequence[CountedLine]
    back: str
    next: str = ""
    of: CountedOf | None = None
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class MyMonth:
    label: str
    acts: Mapping[str, int]
    rung: str


@dataclass(frozen=True, slots=True)
class MyFiguresView(View):
    """What the reader did, which nobody else is shown; and which coaches were told their name."""

    template: ClassVar[str] = "pages/my_figures.html"
    months: Sequence[MyMonth]
    recorded_at: datetime | None = None
    behind: bool = False
    coaches: MyCoaches | None = None
    tabs: Tabs | None = None
