"""What is due, for every set of rules, holders and passes of the scheduler, against a plain reckoning of its own."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.reminders.policy import Due, Holder, Rule, due, due_at

# Half a year before and after events: a clock change is near, or in between, or right on the day.
DAYS = st.one_of(
    st.dates(date(2026, 10, 20), date(2026, 10, 31)),
    st.dates(date(2027, 3, 22), date(2027, 4, 2)),
    st.dates(date(2026, 8, 1), date(2028, 7, 31)),
)
TIMES = st.times(time(0, 0), time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0, fold=0))
WALL_TIMES = st.one_of(TIMES, st.sampled_from([time(0), time(1), time(1, 30), time(2), time(8), time(23, 59)]))


def british(day: date, at: time) -> datetime:
    """The instant of a time on the wall, reckoned from the law: summer time between two last Sundays, at 1.00 UTC."""
    wall = datetime.combine(day, at, UTC)
    begins, ends = (datetime.combine(last_sunday(day.year, month), time(1), UTC) for month in (3, 10))
    early = wall - timedelta(hours=1)
    return early if begins <= early < ends else wall


def last_sunday(year: int, month: int) -> date:
    return max(day for day in (date(year, month, number) for number in range(20, 32)) if day.weekday() == 6)


@dataclass
class World:
    """An event, its rules and who comes; and a scheduler that looks at it now and then."""

    day: date
    starts: time
    rules: list[Rule]
    holders: list[Holder]
    done: set[tuple[int, str]] = field(default_factory=set)
    mails: list[tuple[datetime, str, int]] = field(default_factory=list)

    @property
    def starts_at(self) -> datetime:
        return british(self.day, self.starts)

    def due_of(self, rule: Rule) -> datetime:
        return british(self.day - timedelta(days=rule.days_before), rule.at)

    def look(self, at: datetime) -> list[Due]:
        found = due(
            day=self.day,
            starts_at=self.starts_at,
            rules=self.rules,
            holders=[holder for holder in self.holders if holder.confirmed_at <= at],
            done=self.done,
            at=at,
        )
        for one in found:
            settled = {(rule_id, one.holder.recipient) for rule_id in (one.rule_id, *one.passed_over)}
            assert not settled & self.done
            self.done |= settled
            self.mails.append((at, one.holder.recipient, one.rule_id))
        return found


@st.composite
def worlds(draw) -> World:
    day, starts = draw(DAYS), draw(WALL_TIMES)
    times = draw(st.lists(st.tuples(st.integers(0, 60), WALL_TIMES), unique=True, max_size=5))
    edges = [british(day - timedelta(days=days), at) for days, at in times] or [british(day, starts)]
    since = st.one_of(instants_before(day, starts), near(edges))
    rules = [
        Rule(number, days, at, draw(st.one_of(since, near([british(day - timedelta(days=days), at)]))))
        for number, (days, at) in enumerate(times, start=1)
    ]
    holders = [Holder(number, f"recipient {number}", draw(since)) for number in range(draw(st.integers(0, 3)))]
    return World(day, starts, rules, holders)


def near(edges: list[datetime]) -> st.SearchStrategy[datetime]:
    """Instants right at something, and a second before and after."""
    return st.builds(
        lambda edge, step: edge + timedelta(seconds=step), st.sampled_from(edges), st.sampled_from((0, -1, 1))
    )


def instants_before(day: date, starts: time) -> st.SearchStrategy[datetime]:
    """Instants of the last seventy days before an event: most of them long ago, some close, some after it began."""
    start = british(day, starts)
    minutes = st.one_of(st.integers(60 * 24 * 61, 60 * 24 * 70), st.integers(-60 * 24, 60 * 24 * 61))
    return minutes.map(lambda before: start - timedelta(minutes=before))


@st.composite
def passes(draw, world: World) -> list[datetime]:
    """When the scheduler looks: any instants, and some right at, before and after what falls due."""
    anything = instants_before(world.day, world.starts)
    edges = [world.starts_at, *(world.due_of(rule) for rule in world.rules), *(h.confirmed_at for h in world.holders)]
    return sorted(draw(st.lists(st.one_of(anything, near(edges)), max_size=25)))


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_between_two_passes_each_recipient_gets_one_reminder_of_the_latest_rule_that_fell_due(data) -> None:
    world = data.draw(worlds())
    looks = data.draw(passes(world))
    for at in looks:
        world.look(at)
    due_times = {rule.id: world.due_of(rule) for rule in world.rules}
    got = [(at, recipient, due_times[rule_id]) for at, recipient, rule_id in world.mails]
    expected = []
    before = datetime.min.replace(tzinfo=UTC)
    for at in looks:
        for holder in world.holders:
            fell = [
                due_times[rule.id]
                for rule in world.rules
                if before < due_times[rule.id] <= at < world.starts_at
                and rule.active_since <= due_times[rule.id]
                and holder.confirmed_at < due_times[rule.id]
            ]
            if fell:
                expected.append((at, holder.recipient, max(fell)))
        before = at
    assert got == expected
    assert {rule.id: due_at(rule, world.day) for rule in world.rules} == due_times


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_changed_between_the_passes_no_rule_reminds_anybody_twice_or_of_the_past(data) -> None:
    """Rules are switched off and on, people come and go, the event moves to and fro; what is done stays done."""
    world = data.draw(worlds())
    number = count(100)
    done: dict[date, set[tuple[int, str]]] = {}
    counts: Counter[tuple[date, int, str]] = Counter()
    for at in data.draw(passes(world)):
        change = data.draw(st.sampled_from(("nothing", "off", "on", "leaves", "comes", "moves")))
        if change == "off" and world.rules:
            world.rules.pop()
        elif change == "on":
            world.rules.append(Rule(next(number), data.draw(st.integers(0, 9)), time(8), at))
        elif change == "leaves" and world.holders:
            world.holders.pop()
        elif change == "comes":
            world.holders.append(Holder(0, f"newcomer {next(number)}", at))
        elif change == "moves":
            world.day += timedelta(days=data.draw(st.sampled_from((-7, -1, 1, 7))))
        world.done = done.setdefault(world.day, set())
        rules = {rule.id: rule for rule in world.rules}
        found = world.look(at)
        for one in found:
            counts[world.day, one.rule_id, one.holder.recipient] += 1
            falls = world.due_of(rules[one.rule_id])
            assert rules[one.rule_id].active_since <= falls <= at < world.starts_at
            assert one.holder.confirmed_at < falls
        assert len({one.holder.recipient for one in found}) == len(found)
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
    rule = Rule(1, days_before, time(8), falls - timedelta(days=90))
    holder = Holder(1, "priya", falls - timedelta(days=30))
    assert due_at(rule, day) == falls

    def look(at: datetime) -> list[Due]:
        return due(day=day, starts_at=british(day, time(9, 30)), rules=[rule], holders=[holder], done=(), at=at)

    assert look(falls - timedelta(seconds=1)) == []
    assert look(falls) == [Due(1, holder, ())]


def test_after_an_outage_one_mail_stands_for_all_that_was_missed() -> None:
    day, long_ago = date(2027, 3, 10), datetime(2027, 1, 1, tzinfo=UTC)
    rules = [Rule(1, 14, time(8), long_ago), Rule(2, 7, time(8), long_ago), Rule(3, 1, time(8), long_ago)]
    early, late = Holder(1, "early", long_ago), Holder(2, "late", datetime(2027, 3, 1, tzinfo=UTC))
    found = due(
        day=day,
        starts_at=british(day, time(13, 30)),
        rules=rules,
        holders=[early, late],
        done={(1, "early")},
        at=datetime(2027, 3, 9, 20, 0, tzinfo=UTC),
    )
    assert found == [Due(3, early, (2,)), Due(3, late, (2,))]
