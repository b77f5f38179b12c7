"""What goes when and to whom, for every set of rules, readers, holidays and passes of the scheduler."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.terms import HalfTerm, is_school_day, synthesise
from booking.reminders.models import To, Unit
from booking.reminders.policy import (
    LONGEST,
    Due,
    EventTimes,
    KindHours,
    Occasion,
    Recipient,
    Rule,
    Timing,
    asked_for,
    due_at,
    fallen,
    kindly,
    plan,
    precedes_a_holiday,
    share,
)

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = [term for year in (2025, 2026, 2027, 2028) for term in synthesise(year)]
DAYS_OFF = bank_holidays(date(2025, 8, 1), date(2029, 8, 31))


def is_open(day: date) -> bool:
    return is_school_day(day, TERMS, DAYS_OFF)


HOURS = KindHours(time(7), time(18, 30), is_open)
ALWAYS = KindHours(time(0), time(23, 59), lambda day: True)
# Near a clock change, in between, around holidays.
DAYS = st.one_of(
    st.dates(date(2026, 10, 20), date(2026, 11, 6)),
    st.dates(date(2027, 3, 22), date(2027, 4, 20)),
    st.dates(date(2026, 9, 1), date(2028, 7, 31)),
)
TIMES = st.times(time(0, 0), time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0, fold=0))
WALL_TIMES = st.one_of(TIMES, st.sampled_from([time(0), time(1), time(1, 30), time(2), time(8), time(23, 59)]))


def british(day: date, at: time) -> datetime:
    """The instant of a time on the wall, reckoned from the law: summer time between two last Sundays, at 1.00 UTC."""
    wall = datetime.combine(day, at, UTC)
    begins, ends = (datetime.combine(last_sunday(day.year, month), time(1), UTC) for month in (3, 10))
    early = wall - timedelta(hours=1)
    return early if begins <= early < ends else wall


def on_the_clock(instant: datetime) -> datetime:
    """What clocks in Britain show, reckoned from the same law."""
    begins, ends = (datetime.combine(last_sunday(instant.year, month), time(1), UTC) for month in (3, 10))
    return instant + timedelta(hours=1) if begins <= instant < ends else instant


def last_sunday(year: int, month: int) -> date:
    return max(day for day in (date(year, month, number) for number in range(20, 32)) if day.weekday() == 6)


def event_on(day: date, starts: time = time(9, 30), *, is_deadline: bool = False) -> EventTimes:
    starts_at = british(day, starts)
    return EventTimes(day, day, starts_at, starts_at if is_deadline else starts_at + timedelta(hours=2), is_deadline)


@st.composite
def timings(draw, *, after: bool | None = None) -> Timing:
    unit = draw(st.sampled_from(Unit))
    most = {Unit.WEEKS: 8, Unit.MINUTES: 999, Unit.HOURS: 999}.get(unit, 60)
    at = None if unit in {Unit.MINUTES, Unit.HOURS} else draw(WALL_TIMES)
    return Timing(draw(st.integers(0, most)), unit, at, draw(st.booleans()) if after is None else after)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_none_goes_at_night_at_a_weekend_or_in_a_holiday_and_none_is_moved_further_than_it_must(data) -> None:
    timing = data.draw(timings())
    times = event_on(data.draw(DAYS), data.draw(WALL_TIMES))
    asked = asked_for(timing, times, HOURS)
    goes = kindly(asked, HOURS, after=timing.after)
    there, wanted = on_the_clock(goes), on_the_clock(asked)
    assert is_open(there.date())
    assert HOURS.first <= there.time() <= HOURS.last
    assert goes >= asked if timing.after else goes <= asked
    if is_open(wanted.date()) and HOURS.first <= wanted.time() <= HOURS.last:
        assert goes == asked
    first, last = sorted((there.date(), wanted.date()))
    between = [first + timedelta(days=number) for number in range(1, (last - first).days)]
    assert not any(is_open(day) for day in between)
    if not is_open(wanted.date()):
        assert there.time() == HOURS.clamp(wanted.time())


@settings(max_examples=300, deadline=None)
@given(timings(), DAYS, WALL_TIMES)
def test_a_rule_asks_for_a_length_of_time_or_for_a_time_on_the_wall(timing: Timing, day: date, starts: time) -> None:
    times = event_on(day, starts)
    asked = asked_for(timing, times, HOURS)
    if timing.at is None:
        minutes = timing.number * (60 if timing.unit is Unit.HOURS else 1)
        expected = (
            times.ends_at + timedelta(minutes=minutes) if timing.after else times.starts_at - timedelta(minutes=minutes)
        )
        assert asked == expected
        return
    # A time that the clocks jump over in March is read as if they had not jumped yet.
    wanted = on_the_clock(asked)
    assert asked == british(wanted.date(), timing.at) or timing.at.hour == 1
    apart = (wanted.date() - day).days if timing.after else (day - wanted.date()).days
    if timing.unit is Unit.SCHOOL_DAYS:
        passed = [day + timedelta(days=n if timing.after else -n) for n in range(1, apart + 1)]
        assert sum(is_open(one) for one in passed) == timing.number
    else:
        assert apart == timing.number * (7 if timing.unit is Unit.WEEKS else 1)


@dataclass
class World:
    """An event, its rules and who reads; and a scheduler that looks at it now and then."""

    times: EventTimes
    rules: list[Rule]
    readers: list[Recipient]
    hours: KindHours = HOURS
    done: set[tuple[int, bool]] = field(default_factory=set)
    mails: list[tuple[datetime, object, Occasion]] = field(default_factory=list)

    @property
    def occasions(self) -> list[Occasion]:
        return plan(self.rules, self.times, self.hours)

    def look(self, at: datetime) -> list[Due]:
        """As the scheduler does it: what is of no use any more is taken as done."""
        found = fallen(self.occasions, done=self.done, at=at)
        useful = [one for one in found if at < one.useful_until(self.times)]
        shared = share(useful, [reader for reader in self.readers if reader.since <= at])
        self.done |= {key for one in found for key in one.keys}
        self.mails += [(at, one.recipient.key, one.occasion) for one in shared]
        return shared


@st.composite
def worlds(draw) -> World:
    times = event_on(draw(DAYS), draw(WALL_TIMES), is_deadline=draw(st.booleans()))
    since = st.one_of(st.just(LONG_AGO), instants_round(times))
    rules = [
        Rule(number, timing, draw(since))
        for number, timing in enumerate(draw(st.lists(timings(), max_size=5)), start=1)
    ]
    hours = draw(st.sampled_from((HOURS, ALWAYS)))
    edges = [due_at(rule, times, hours) for rule in rules] or [times.starts_at]
    readers = [Recipient(f"reader {n}", draw(st.one_of(since, near(edges)))) for n in range(draw(st.integers(0, 3)))]
    return World(times, rules, readers, hours)


def near(edges: list[datetime]) -> st.SearchStrategy[datetime]:
    """Instants right at something, and a second before and after."""
    return st.builds(
        lambda edge, step: edge + timedelta(seconds=step), st.sampled_from(edges), st.sampled_from((0, -1, 1))
    )


def instants_round(times: EventTimes) -> st.SearchStrategy[datetime]:
    """Instants from seventy days before an event to seventy after it."""
    return st.integers(-60 * 24 * 70, 60 * 24 * 70).map(lambda minutes: times.starts_at + timedelta(minutes=minutes))


@st.composite
def passes(draw, world: World) -> list[datetime]:
    """When the scheduler looks: any instants, and some right at, before and after what falls due."""
    edges = [world.times.starts_at, *(one.at for one in world.occasions), *(one.since for one in world.readers)]
    return sorted(draw(st.lists(st.one_of(instants_round(world.times), near(edges)), max_size=25)))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_each_reader_gets_each_reminder_once_if_a_scheduler_ran_in_its_window_and_never_twice(data) -> None:
    world = data.draw(worlds())
    looks = data.draw(passes(world))
    for at in looks:
        world.look(at)
    expected, before = [], datetime.min.replace(tzinfo=UTC)
    for at in looks:
        fell = [one for one in world.occasions if before < one.at <= at < one.useful_until(world.times)]
        for reader in world.readers:
            mine = [one for one in fell if reader.since < one.at]
            expected += [(at, reader.key, one) for one in mine if one.after]
            # Of what comes before the event the nearest goes, once for all that fell due since the last look.
            ahead = [(at, reader.key, one) for one in mine if not one.after]
            expected += ahead[-1:]
        before = at
    assert Counter(world.mails) == Counter(expected)
    assert max(Counter((reader, key) for _, reader, one in world.mails for key in one.keys).values(), default=1) == 1
    for _, _, one in world.mails:
        assert one.at >= max(rule.since for rule in one.rules)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_is_changed_between_the_passes_no_rule_reminds_anybody_twice_or_of_the_past(data) -> None:
    """Rules are switched off and on, people come and go, the event moves to and fro; what is done stays done."""
    world = data.draw(worlds())
    number = count(100)
    done: dict[date, set[tuple[int, bool]]] = {}
    counts: Counter[tuple[date, int, bool, object]] = Counter()
    for at in data.draw(passes(world)):
        change = data.draw(st.sampled_from(("nothing", "off", "on", "leaves", "comes", "moves")))
        if change == "off" and world.rules:
            world.rules.pop()
        elif change == "on":
            world.rules.append(Rule(next(number), data.draw(timings()), at))
        elif change == "leaves" and world.readers:
            world.readers.pop()
        elif change == "comes":
            world.readers.append(Recipient(f"newcomer {next(number)}", at))
        elif change == "moves":
            to = world.times.day + timedelta(days=data.draw(st.sampled_from((-7, -1, 1, 7))))
            world.times = event_on(to, is_deadline=world.times.is_deadline)
        world.done = done.setdefault(world.times.day, set())
        for one in world.look(at):
            counts[world.times.day, one.occasion.rule.id, one.occasion.extra, one.recipient.key] += 1
            assert max(rule.since for rule in one.occasion.rules) <= one.occasion.at <= at
            assert one.recipient.since < one.occasion.at
            assert at < world.times.starts_at or one.occasion.after
    assert set(counts.values()) <= {1}


@pytest.mark.parametrize(
    ("day", "days_before", "falls"),
    [
        (date(2026, 10, 26), 1, datetime(2026, 10, 25, 8, 0, tzinfo=UTC)),  # the day the clocks went back
        (date(2026, 10, 26), 7, datetime(2026, 10, 19, 7, 0, tzinfo=UTC)),
        (date(2027, 3, 29), 1, datetime(2027, 3, 28, 7, 0, tzinfo=UTC)),  # the day the clocks went forward
        (date(2027, 3, 29), 7, datetime(2027, 3, 22, 8, 0, tzinfo=UTC)),
        (date(2028, 3, 1), 1, datetime(2028, 2, 29, 8, 0, tzinfo=UTC)),
    ],
)
def test_eight_on_the_wall_stays_eight_when_the_clocks_change(day: date, days_before: int, falls: datetime) -> None:
    world = World(event_on(day), [Rule(1, Timing(days_before), LONG_AGO)], [Recipient("priya", LONG_AGO)], ALWAYS)
    assert world.look(falls - timedelta(seconds=1)) == []
    assert [one.recipient.key for one in world.look(falls)] == ["priya"]
    assert world.look(falls + timedelta(hours=1)) == []


def said(occasions: list[Occasion]) -> list[tuple[str, int, bool]]:
    """When each goes on the wall, for how many rules, and whether it is the one more after a holiday."""
    return [(f"{on_the_clock(one.at):%a %d %b %H:%M}", len(one.rules), one.extra) for one in occasions]


def rules(*wanted: Timing, to: To = To.SUBSCRIBERS) -> list[Rule]:
    return [Rule(number, timing, LONG_AGO, to) for number, timing in enumerate(wanted, start=1)]


WEEK_AND_DAY = (Timing(7), Timing(1))
# Easter holidays in 2027, as the terms used here have them.
TERM = next(term for term in synthesise(2026) if term.number == 5)
BEFORE_EASTER = next(term for term in synthesise(2026) if term.number == 4).last_day


def closes(day: date, at: time) -> EventTimes:
    return event_on(day, at, is_deadline=True)


def test_a_reminder_for_a_monday_goes_on_the_friday() -> None:
    monday = date(2026, 11, 16)
    assert said(plan(rules(*WEEK_AND_DAY), event_on(monday), HOURS)) == [
        ("Mon 09 Nov 08:00", 1, False),
        ("Fri 13 Nov 08:00", 1, False),
    ]


def test_thanks_for_a_friday_go_on_the_monday_and_those_of_a_late_evening_in_the_morning() -> None:
    friday = event_on(date(2026, 11, 13), time(19, 0))
    assert said(plan(rules(Timing(1, at=time(9), after=True)), friday, HOURS)) == [("Mon 16 Nov 09:00", 1, False)]
    assert said(plan(rules(Timing(30, Unit.MINUTES, None, after=True)), friday, HOURS)) == [
        ("Mon 16 Nov 07:00", 1, False)
    ]
    thursday = event_on(date(2026, 11, 12), time(19, 0))
    assert said(plan(rules(Timing(30, Unit.MINUTES, None, after=True)), thursday, HOURS)) == [
        ("Fri 13 Nov 07:00", 1, False)
    ]


def test_what_falls_at_night_goes_in_the_evening_before_it() -> None:
    early = event_on(date(2026, 11, 12), time(7, 30))
    assert said(plan(rules(Timing(60, Unit.MINUTES, None)), early, HOURS)) == [("Wed 11 Nov 18:30", 1, False)]


def test_reminders_of_a_closing_date_that_land_on_one_day_become_one_and_one_more_goes_after_the_holiday() -> None:
    first_day = closes(TERM.first_day, time(17, 0))
    assert said(plan(rules(*WEEK_AND_DAY), first_day, HOURS)) == [
        (f"{BEFORE_EASTER:%a %d %b} 08:00", 2, False),
        (f"{TERM.first_day:%a %d %b} 08:00", 1, True),
    ]


@pytest.mark.parametrize("closing_time", [time(8, 0), time(7, 30), time(0, 0)])
def test_no_more_goes_where_it_closes_before_the_first_school_morning(closing_time: time) -> None:
    first_day = closes(TERM.first_day, closing_time)
    assert [extra for *_, extra in said(plan(rules(*WEEK_AND_DAY), first_day, HOURS))] == [False]


def test_no_more_goes_where_one_reminder_comes_after_the_holiday_anyway() -> None:
    wednesday = closes(TERM.first_day + timedelta(days=2), time(17, 0))
    assert [extra for *_, extra in said(plan(rules(*WEEK_AND_DAY), wednesday, HOURS))] == [False, False]
    assert [extra for *_, extra in said(plan(rules(Timing(7)), wednesday, HOURS))] == [False]


def test_a_weekend_is_no_holiday_and_a_bank_holiday_is_one() -> None:
    assert not precedes_a_holiday(date(2026, 11, 13), date(2026, 11, 16), HOURS)
    tuesday = date(2027, 5, 4)  # after the early May bank holiday
    assert said(plan(rules(*WEEK_AND_DAY), closes(tuesday, time(12)), HOURS)) == [
        ("Tue 27 Apr 08:00", 1, False),
        ("Fri 30 Apr 08:00", 1, False),
        ("Tue 04 May 08:00", 1, True),
    ]


def test_a_session_has_its_reminders_apart_but_where_a_holiday_brings_them_together() -> None:
    morning_and_link = (Timing(0), Timing(30, Unit.MINUTES, None))
    assert said(plan(rules(*morning_and_link), event_on(date(2026, 11, 12)), HOURS)) == [
        ("Thu 12 Nov 08:00", 1, False),
        ("Thu 12 Nov 09:00", 1, False),
    ]
    assert said(plan(rules(*WEEK_AND_DAY), event_on(TERM.first_day), HOURS)) == [
        (f"{BEFORE_EASTER:%a %d %b} 08:00", 2, False)
    ]


def test_readers_of_two_kinds_have_their_own_reminders() -> None:
    both = [Rule(1, Timing(7), LONG_AGO, To.SUBSCRIBERS), Rule(2, Timing(1), LONG_AGO, To.ORGANISERS)]
    occasions = plan(both, closes(TERM.first_day, time(17, 0)), HOURS)
    assert [(one.rule.to, len(one.rules), one.extra) for one in occasions] == [
        (To.SUBSCRIBERS, 1, False),
        (To.ORGANISERS, 1, False),
        (To.SUBSCRIBERS, 1, True),
        (To.ORGANISERS, 1, True),
    ]


def test_a_rule_switched_on_after_its_instant_has_no_occasion() -> None:
    times = event_on(date(2026, 11, 16))
    friday = british(date(2026, 11, 13), time(8))
    late = [Rule(1, Timing(1), friday + timedelta(seconds=1))]
    assert plan(late, times, HOURS) == []
    assert [one.at for one in plan([Rule(1, Timing(1), friday)], times, HOURS)] == [friday]


def test_after_an_outage_one_mail_stands_for_all_that_was_missed_before_and_none_for_what_is_stale() -> None:
    day = date(2026, 11, 18)
    wanted = rules(
        Timing(14), Timing(7), Timing(1), Timing(1, at=time(9), after=True), Timing(2, at=time(9), after=True)
    )
    early, late = Recipient("early", LONG_AGO), Recipient("late", british(date(2026, 11, 9), time(12)))
    world = World(event_on(day), wanted, [early, late])
    found = world.look(british(date(2026, 11, 17), time(20)))
    assert [(one.recipient, one.occasion.rule.id, [o.rule.id for o in one.passed_over]) for one in found] == [
        (early, 3, [1, 2]),
        (late, 3, [2]),
    ]
    after = world.look(british(date(2026, 11, 30), time(9)))
    assert [(one.recipient, one.occasion.rule.id) for one in after] == [(early, 4), (early, 5), (late, 4), (late, 5)]
    gone = World(event_on(day), wanted, [early, late])
    assert gone.look(british(date(2026, 12, 20), time(9))) == []
    assert {key for one in gone.occasions for key in one.keys} == gone.done


def test_terms_that_are_not_known_leave_weekdays_as_they_are() -> None:
    nowhere = KindHours(time(7), time(18), lambda day: False)
    assert nowhere.school_day_before(date(2026, 11, 16)) == date(2026, 11, 13)
    assert nowhere.school_day_after(date(2026, 11, 13)) == date(2026, 11, 16)


def test_no_rule_reaches_further_than_the_scheduler_looks() -> None:
    assert max(Timing(8, Unit.WEEKS).length, Timing(60).length, Timing(999, Unit.HOURS).length) <= LONGEST
    longest_holiday = max((after.first_day - before.last_day).days for before, after in pairwise(TERMS))
    assert isinstance(TERMS[0], HalfTerm)
    assert longest_holiday < 92
