"""Value: made from Python, printed, compared, read back."""

from __future__ import annotations

import copy
import mmap
import pickle
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from conftest import Connect
from hypothesis import given
from hypothesis import strategies as st

import confd_events as events
from confd_events import Value
from confd_events.testing import Daemon

IST = timezone(timedelta(hours=-5, minutes=-30))

# init, type, what str() gives, what as_pyval() gives
MADE: list[tuple[Any, str, str, Any]] = [
    (1, "C_NOEXISTS", "NOEXISTS", "C_NOEXISTS"),
    (None, "C_NOEXISTS", "NOEXISTS", "C_NOEXISTS"),
    (None, "C_DEFAULT", "DEFAULT", "C_DEFAULT"),
    ("text", "C_BUF", "text", "text"),
    ("", "C_BUF", "", ""),
    (7, "C_BUF", "7", "7"),
    (Decimal("1.50"), "C_BUF", "1.50", "1.50"),
    (Value(7), "C_BUF", "7", "7"),
    (bytearray(b"ab"), "C_BUF", "ab", "ab"),
    (b"M\xfcller", "C_BUF", "M\udcfcller", "M\udcfcller"),
    ("text", "C_STR", '"text"', "text"),
    (-128, "C_INT8", "-128", -128),
    (-(2**15), "C_INT16", "-32768", -(2**15)),
    (-(2**31), "C_INT32", "-2147483648", -(2**31)),
    (-(2**63), "C_INT64", "-9223372036854775808", -(2**63)),
    (255, "C_UINT8", "255", 255),
    (65535, "C_UINT16", "65535", 65535),
    (2**32 - 1, "C_UINT32", "4294967295", 2**32 - 1),
    (2**64 - 1, "C_UINT64", "18446744073709551615", 2**64 - 1),
    (1.5, "C_DOUBLE", "1.500000", 1.5),
    (3, "C_DOUBLE", "3.000000", 3.0),
    (True, "C_BOOL", "true", True),
    (2, "C_BOOL", "true", True),
    (0.5, "C_BOOL", "false", False),
    (1.9, "C_INT32", "1", 1),
    (Decimal("-7.5"), "C_INT8", "-7", -7),
    (Value(300), "C_UINT16", "300", 300),
    (False, "C_BOOL", "false", False),
    ("10.0.0.1", "C_IPV4", "10.0.0.1", "10.0.0.1"),
    ("2001:db8:0::1", "C_IPV6", "2001:db8::1", "2001:db8::1"),
    ("10.0.0.0/8", "C_IPV4PREFIX", "10.0.0.0/8", "10.0.0.0/8"),
    (("10.0.0.1", 32), "C_IPV4_AND_PLEN", "10.0.0.1/32", "10.0.0.1/32"),
    ("2001:db8::/32", "C_IPV6PREFIX", "2001:db8::/32", "2001:db8::/32"),
    ("2001:db8::1/128", "C_IPV6_AND_PLEN", "2001:db8::1/128", "2001:db8::1/128"),
    (date(2026, 1, 2), "C_DATE", "2026-01-02", "2026-01-02"),
    ("2026-01-02Z", "C_DATE", "2026-01-02Z", "2026-01-02Z"),
    ("01:02:03.000004Z", "C_TIME", "01:02:03.000004Z", "01:02:03.000004Z"),
    (time(1, 2, 3, 4, timezone.utc), "C_TIME", "01:02:03.000004Z", "01:02:03.000004Z"),
    ("P1Y2M3DT4H5M6S.7", "C_DURATION", "P1Y2M3DT4H5M6S.7", "P1Y2M3DT4H5M6S"),
    (timedelta(days=3, hours=4, minutes=5), "C_DURATION", "P3DT4H5M0S.0", "P3DT4H5M0S"),
    (timedelta(0), "C_DURATION", "P", "P"),
    (3, "C_ENUM_HASH", "enum<3>", 3),
    (5, "C_BIT32", "bits<0x5>", 5),
    (6, "C_BIT64", "bits<0x6>", 6),
    (b"\xff\x00\x01", "C_BITBIG", "bits<0x0100ff>", bytearray(b"\xff\x00\x01")),
    (["a", "b"], "C_LIST", "a b", ["a", "b"]),
    ([], "C_LIST", "", []),
    ([[1, True], "x"], "C_LIST", "1 true x", [[1, True], "x"]),
    ("1.3.6", "C_OID", "1.3.6", "1.3.6"),
    ([1, 3, 2**32 - 1], "C_OID", "1.3.4294967295", "1.3.4294967295"),
    (b"\x00\x01", "C_BINARY", "0001", b"\x00\x01"),
    ("aa:bb", "C_HEXSTR", "aa:bb", "aa:bb"),
    (Decimal("123.45"), "C_DECIMAL64", "123.45", "123.45"),
    ((-5, 3), "C_DECIMAL64", "-.005", "-.005"),
    ("0", "C_DECIMAL64", ".0", ".0"),
    ("1.50", "C_DECIMAL64", "1.5", "1.5"),
    (
        "2024-02-29T23:59:59Z",
        "C_DATETIME",
        "2024-02-29T23:59:59+00:00",
        "2024-02-29T23:59:59+00:00",
    ),
    ((1111, 2222), "C_IDENTITYREF", "idref<2222>", "idref<2222>"),
    (events.XmlTag(1, 2222), "C_XMLTAG", "tag<2222>", (2222, 1)),
    ((2222, 1), "C_XMLBEGIN", "tag<2222>", (2222, 1)),
    ((2222, 1), "C_XMLMOVEAFTER", "tag<2222>", (2222, 1)),
    ("1.2.3.4", "C_DQUAD", "1.2.3.4", "1.2.3.4"),
    (("if", "name"), "C_QNAME", "if:name", ("if", "name")),
    ((None, "name"), "C_QNAME", "name", (None, "name")),
    ("10.0.0.1/8", "C_IPV4_AND_PLEN", "10.0.0.1/8", "10.0.0.1/8"),
]


@pytest.mark.parametrize(("init", "name", "text", "pyval"), MADE)
def test_made_from_python(init: Any, name: str, text: str, pyval: Any) -> None:
    number = getattr(events, name)
    made = Value(init, number)
    assert made.confd_type() == number
    assert made.confd_type_str() == name
    assert str(made) == text
    assert made.as_pyval() == pyval
    assert type(made.as_pyval()) is type(pyval)
    assert repr(made) == f"Value({text!r}, {name})"


# What as_pyval() shortens: microseconds, zeros at the end, the namespace of an identity.
SHORTENED = {"C_DURATION", "C_DECIMAL64", "C_IDENTITYREF"}


@pytest.mark.parametrize(
    ("init", "name"), [(init, name) for init, name, *_ in MADE if name not in SHORTENED]
)
def test_as_pyval_makes_the_value_anew(init: Any, name: str) -> None:
    made = Value(init, getattr(events, name))
    assert Value(made.as_pyval(), made.confd_type()) == made


@pytest.mark.parametrize(
    ("init", "text"),
    [
        (
            datetime(2026, 11, 23, 7, 50, 1, 123456, timezone.utc),
            "2026-11-23T07:50:01.123456+00:00",
        ),
        (datetime(2024, 2, 29, 23, 59, 59, 0, IST), "2024-02-29T23:59:59-05:30"),
        (datetime(2024, 2, 29), "2024-02-29T00:00:00"),
        ("2024-02-29T23:59:59-05:30", "2024-02-29T23:59:59-05:30"),
        ("2026-11-23 07:50:01.5Z", "2026-11-23T07:50:01.500000+00:00"),
        ("2026-11-23T07:50Z", "2026-11-23T07:50:00+00:00"),
        ("2026-11-23T24:00:00", "2026-11-23T24:00:00"),
        ("2026-11-23T23:59:60Z", "2026-11-23T23:59:60+00:00"),
        ("0999-01-02T03:04:05", "999-01-02T03:04:05"),
        ("999-01-02T03:04:05", "999-01-02T03:04:05"),
        ("2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05"),
        (events.DateTime(2026, 1, 2), "2026-01-02T00:00:00"),
    ],
)
def test_datetime(init: Any, text: str) -> None:
    made = Value(init, events.C_DATETIME)
    assert str(made) == text
    assert made.as_pyval() == text


@pytest.mark.parametrize(
    ("init", "name"),
    [
        (True, "C_BOOL"),
        (-5, "C_INT32"),
        (1.5, "C_DOUBLE"),
        ("x", "C_BUF"),
        (b"x", "C_BINARY"),
        ([1], "C_BUF"),
        (None, "C_BUF"),
        (Value(5), "C_BUF"),
        (datetime(2026, 1, 2), "C_BUF"),
    ],
)
def test_inferred_type(init: Any, name: str) -> None:
    assert Value(init).confd_type_str() == name
    assert Value(init, 0) == Value(init)
    if name == "C_BUF":
        assert Value(init) == str(init)


INTEGER_TYPES = ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]


@given(st.sampled_from(INTEGER_TYPES), st.integers(-(2**70), 2**70))
def test_integers_fit_or_overflow(name: str, number: int) -> None:
    width = int(name.strip("UINT"))
    low, high = (0, 2**width) if name[0] == "U" else (-(2 ** (width - 1)), 2 ** (width - 1))
    type_ = getattr(events, f"C_{name}")
    if low <= number < high:
        assert Value(number, type_).as_pyval() == number
        assert str(Value(number, type_)) == str(number)
    else:
        with pytest.raises(OverflowError, match="init"):
            Value(number, type_)


def test_overflow_where_the_type_is_inferred() -> None:
    with pytest.raises(OverflowError, match="init"):
        Value(2**40)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_text_round_trip(text: str) -> None:
    made = Value(text)
    assert (str(made), made.as_pyval()) == (text, text)
    assert made == text
    string = Value(text, events.C_STR)
    assert (str(string), string.as_pyval()) == (f'"{text}"', text)


@given(st.recursive(st.integers(0, 9) | st.text("ab") | st.booleans(), st.lists, max_leaves=30))
def test_nested_lists(tree: Any) -> None:
    assert Value([tree], events.C_LIST).as_pyval() == [tree]


ZONES = st.sampled_from([None, *range(-14 * 60, 14 * 60 + 1)]).map(
    lambda minutes: minutes if minutes is None else timezone(timedelta(minutes=minutes))
)


@given(st.datetimes(timezones=ZONES))
def test_datetime_round_trip(moment: datetime) -> None:
    made = Value(moment, events.C_DATETIME)
    for got in (made, Value(str(made), events.C_DATETIME)):
        assert got.to_datetime() == moment
        assert got.to_datetime().utcoffset() == moment.utcoffset()


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("-05:30", (-5, 30)),
        ("-00:30", (0, -30)),
        ("+00:30", (0, 30)),
        ("+05:30", (5, 30)),
        ("Z", (0, 0)),
        ("-00:00", (events.TIMEZONE_UNDEF, 0)),
        ("", (events.TIMEZONE_UNDEF, 0)),
    ],
)
def test_zones(text: str, zone: tuple[int, int]) -> None:
    """The minutes have a sign only where the hours are 0."""
    parts = (2026, 1, 2, 3, 4, 5, 6, *zone)
    moment = events.DateTime(*parts)
    made = Value(f"2026-01-02T03:04:05.000006{text}", events.C_DATETIME)
    assert made == Value(moment, events.C_DATETIME)
    assert moment.to_datetime() == made.to_datetime()
    assert str(moment) == str(made)
    assert eval(repr(moment), {"DateTime": events.DateTime}).__reduce__()[1] == parts


def test_times_without_a_zone_are_equal_whatever_their_minutes() -> None:
    undefined = events.TIMEZONE_UNDEF
    times = [events.DateTime(2026, 1, 2, 3, 4, 5, 6, undefined, m) for m in (0, 7, undefined)]
    assert len(set(times)) == 1
    assert len({str(Value(time, events.C_DATETIME)) for time in times}) == 1
    assert all(Value(t, events.C_DATETIME) == Value(times[0], events.C_DATETIME) for t in times)
    assert times[0] != events.DateTime(2026, 1, 2, 3, 4, 5, 6, 0, 0)


@pytest.mark.parametrize("type_", [events.C_DATETIME, events.C_TIME])
def test_an_offset_with_seconds_is_refused(type_: int) -> None:
    zone = timezone(timedelta(hours=1, seconds=30))
    moment = datetime(2026, 1, 2, tzinfo=zone)
    with pytest.raises(ValueError, match="whole minutes"):
        Value(moment if type_ == events.C_DATETIME else moment.timetz(), type_)


@pytest.mark.parametrize(
    ("init", "name", "error"),
    [
        ("1", "C_INT32", TypeError),
        (b"1", "C_INT32", TypeError),
        (1j, "C_INT32", TypeError),
        (Value("x"), "C_INT32", TypeError),
        (float("inf"), "C_INT32", OverflowError),
        (float("nan"), "C_INT32", ValueError),
        (-1.9, "C_UINT8", OverflowError),
        ("1", "C_BOOL", TypeError),
        ("1.5", "C_DOUBLE", TypeError),
        ("a\0b", "C_STR", ValueError),
        ("10.0.0.256", "C_IPV4", ValueError),
        ("10.0.0.1", "C_IPV6", ValueError),
        ("10.0.0.0", "C_IPV4PREFIX", ValueError),
        ("10.0.0.0/33", "C_IPV4PREFIX", OverflowError),
        ("10.0.0.1/8", "C_IPV4PREFIX", ValueError),
        ("::1/64", "C_IPV6PREFIX", ValueError),
        ("2026-13-02T03:04:05Z", "C_DATETIME", ValueError),
        ("2026-02-30T03:04:05Z", "C_DATETIME", ValueError),
        ("2026-01-02T25:04:05Z", "C_DATETIME", ValueError),
        ("2026-01-02T03:60:05Z", "C_DATETIME", ValueError),
        ("2026-01-02T03:04:05+01:60", "C_DATETIME", ValueError),
        ("2025-02-29", "C_DATE", ValueError),
        ("24:00:01", "C_TIME", ValueError),
        ("yesterday", "C_DATETIME", ValueError),
        (5, "C_DATETIME", TypeError),
        ("P-1D", "C_DURATION", ValueError),
        ("1..3", "C_OID", ValueError),
        ([1] * 129, "C_OID", ValueError),
        (["x"], "C_OID", TypeError),
        ("text", "C_LIST", TypeError),
        (5, "C_LIST", TypeError),
        ((1, 19), "C_DECIMAL64", OverflowError),
        ("NaN", "C_DECIMAL64", ValueError),
        ("x", "C_DECIMAL64", ValueError),
        ("1e999999", "C_DECIMAL64", OverflowError),
        ("1.2.3", "C_DQUAD", ValueError),
        ("1.2.3.256", "C_DQUAD", ValueError),
        ((1, 2, 3, 4.5), "C_DQUAD", ValueError),
        (("1", 2), "C_XMLTAG", TypeError),
        ((2**32, 1), "C_XMLTAG", OverflowError),
        ((1, 2, 3), "C_XMLTAG", TypeError),
        (5, "C_IDENTITYREF", TypeError),
        (("if", ""), "C_QNAME", ValueError),
        ((None, None), "C_QNAME", TypeError),
        ("zz", "C_HEXSTR", ValueError),
        (5, "C_OBJECTREF", ValueError),
        (5, "C_SYMBOL", ValueError),
        (5, "C_CDBBEGIN", ValueError),
    ],
)
def test_refused(init: Any, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Value(init, getattr(events, name))


@pytest.mark.parametrize("number", [-1, 63, 64, 2**31 - 1])
def test_unknown_type(number: int) -> None:
    with pytest.raises(ValueError, match="type"):
        Value(1, number)


up, five, half, yes = Value("up"), Value(5), Value(2.5), Value(True)
pair = Value([up, 5], events.C_LIST)
nothing = Value(1, events.C_NOEXISTS)
hour = Value("PT1H", events.C_DURATION)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (up, "up"),
        (up, Value("up")),
        (five, 5),
        (five, "5"),
        (five, Value(5)),
        (half, 2),
        (yes, True),
        (yes, 1),
        (yes, "true"),
        (hour, 3600),
        (hour, "PT1H0M0S.0"),
        (Value(3, events.C_ENUM_HASH), 3),
        (Value(2**63, events.C_BIT64), 2**63),
        (nothing, "NOEXISTS"),
        (pair, Value(["up", 5], events.C_LIST)),
        (Value(0.0), Value(-0.0)),
    ],
)
def test_equal(left: Value, right: object) -> None:
    assert left == right
    assert right == left
    assert (left != right) is False
    assert left in [None, right]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (up, "down"),
        (up, 5),
        (up, None),
        (up, b"up"),
        (five, 6),
        (five, "05"),
        (five, 5.0),
        (five, Value(5, events.C_UINT32)),
        (five, Value("5")),
        (Value(float("inf")), 5),
        (Value(float("nan")), 5),
        (pair, ["up", 5]),
        (nothing, None),
    ],
)
def test_not_equal(left: Value, right: object) -> None:
    assert left != right
    assert right != left
    assert (left == right) is False
    assert left not in [right]


def test_order_with_numbers_and_text() -> None:
    assert five < 6
    assert five <= 5
    assert five > 4
    assert not five >= 6
    six, letter = 6, "a"
    assert six > five
    assert up < "vp"
    assert letter < up
    assert Value(float("inf")) > 10**400
    assert five <= Value(5) <= five


@pytest.mark.parametrize(
    "compare",
    [
        lambda: five < Value(6),  # type: ignore[operator]
        lambda: five <= Value(6),
        lambda: five < 5.5,  # type: ignore[operator]
        lambda: up < 5,
        lambda: pair > 1,
    ],
)
def test_no_order(compare: Callable[[], bool]) -> None:
    with pytest.raises(TypeError, match="not supported between"):
        compare()


@pytest.mark.parametrize("item", [five, pair])
def test_not_hashable(item: Value) -> None:
    """Value(5) equals 5 and "5", which have other hashes than each other."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(item)


@pytest.mark.parametrize(
    ("item", "number"),
    [
        (five, 5),
        (Value(2**64 - 1, events.C_UINT64), 2**64 - 1),
        (Value(-(2**63), events.C_INT64), -(2**63)),
        (half, 2.5),
        (yes, 1),
        (Value(-3, events.C_ENUM_HASH), -3),
        (Value(5, events.C_BIT32), 5),
        (Value("P1DT1H1M1S", events.C_DURATION), 90061),
        (Value("P2Y1M", events.C_DURATION), 25),
        (Value("P2YT5S", events.C_DURATION), 0),
    ],
)
def test_numbers(item: Value, number: float) -> None:
    assert int(item) == int(number)
    assert float(item) == float(number)
    assert "%d" % item == "%d" % number  # noqa: UP031


@pytest.mark.parametrize("item", [up, pair, nothing, Value("1.5", events.C_DECIMAL64)])
@pytest.mark.parametrize("convert", [int, float])
def test_no_numbers(item: Value, convert: Callable[[Value], float]) -> None:
    with pytest.raises(TypeError, match=item.confd_type_str()):
        convert(item)


def test_truth() -> None:
    """As in the vendor's module: 0 is false for integers, booleans and durations alone."""
    for name in ["BOOL", "DURATION", *INTEGER_TYPES]:
        type_ = getattr(events, f"C_{name}")
        zero, one = ("P", "PT1S") if name == "DURATION" else (0, 1)
        assert not Value(zero, type_)
        assert Value(one, type_)
    for item in (Value(""), Value(0.0), Value([], events.C_LIST), nothing):
        assert item
    for type_ in (events.C_ENUM_HASH, events.C_BIT32, events.C_BIT64):
        assert Value(0, type_)


def test_list_is_a_sequence() -> None:
    made = Value(["a", 1, True], events.C_LIST)
    assert len(made) == made._size() == 3
    assert [item.as_pyval() for item in made] == ["a", 1, True]
    assert made[-1] == Value(True)
    assert made[:2] == [Value("a"), Value(1)]
    assert made.as_list() == [Value("a"), Value(1), Value(True)]
    assert "a" in made
    assert 1 in made
    assert "b" not in made
    for index in (3, -4):
        with pytest.raises(IndexError):
            made[index]


def test_only_a_list_is_a_sequence() -> None:
    for use in (iter, Value.as_list, Value._size, lambda v: "a" in v):
        with pytest.raises(TypeError, match="C_INT32"):
            use(Value(1))
    with pytest.raises(IndexError, match="C_INT32"):
        Value(1)[0]
    assert len(Value(1)) == len(Value("abc")) == 0
    assert Value(b"abc")._size() == 3


def test_nul_is_kept() -> None:
    made = Value("a\0b")
    assert made.as_pyval() == "a\0b"
    assert made == Value(b"a\0b", events.C_BUF)


def test_size_is_checked_before_memory_is_taken() -> None:
    with mmap.mmap(-1, 2**32 + 5) as huge, memoryview(huge) as octets:
        for type_ in (events.C_BINARY, events.C_BUF, events.C_BITBIG):
            with pytest.raises(OverflowError, match="size"):
                Value(octets, type_)


def test_accessors_of_one_type() -> None:
    assert Value((12345, 2), events.C_DECIMAL64).as_decimal64() == (12345, 2)
    assert str(Value((12300, 4), events.C_DECIMAL64).as_decimal()) == "1.2300"
    for type_ in (events.C_XMLTAG, events.C_XMLBEGIN, events.C_XMLEND):
        assert Value((2, 1), type_).as_xmltag() == events.XmlTag(1, 2)
    for accessor in (Value.as_decimal64, Value.as_decimal, Value.as_xmltag, Value.to_datetime):
        with pytest.raises(TypeError, match="C_BUF"):
            accessor(Value("x"))


def test_long_text_is_printed_whole() -> None:
    assert str(Value("x" * 100_000)) == "x" * 100_000
    assert str(Value(["abc"] * 10_000, events.C_LIST)) == " ".join(["abc"] * 10_000)


def test_a_copy_is_the_value_itself() -> None:
    """It is immutable."""
    made = Value(["a", 1], events.C_LIST)
    assert copy.copy(made) is made
    assert copy.deepcopy({"v": made}) == {"v": made}
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(made)


def test_small_classes() -> None:
    tag = events.XmlTag(ns=1, tag=2)
    link = events.ProgressLink("t", "s")
    moment = events.DateTime(2024, 2, 29, 23, 59, 59, 5, -5, 30)
    held = events.TagValue(tag, Value("x"))
    assert (tag.ns, tag.tag, str(tag)) == (1, 2, "tag<2>")
    assert (link.trace_id, link["trace_id"], link["span_id"]) == ("t", "t", "s")
    assert moment.to_datetime() == datetime(2024, 2, 29, 23, 59, 59, 5, IST)
    assert (held.ns, held.tag, held.v, str(held)) == (1, 2, Value("x"), "tag<2>")
    assert held == events.TagValue(xmltag=events.XmlTag(1, 2), v=Value("x"))
    assert held != events.TagValue(tag=2, ns=1)
    assert len({held, events.TagValue(tag, Value("x")), events.TagValue(tag, Value("y"))}) == 2
    assert repr(held) == "TagValue(XmlTag(ns=1, tag=2), Value('x', C_BUF))"
    bare = events.TagValue(tag=2, ns=1)
    assert (bare.ns, bare.tag, bare.v) == (1, 2, nothing)
    for item in (tag, link, moment):
        assert copy.copy(item) == item
        assert pickle.loads(pickle.dumps(item)) == item
        assert hash(item) == hash(copy.copy(item))
        assert item != object()
    with pytest.raises(KeyError):
        link["x"]  # type: ignore[index]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"xmltag": events.XmlTag(1, 2)},
        {"v": Value(1)},
        {"tag": 1},
        {"xmltag": events.XmlTag(1, 2), "v": Value(1), "tag": 2},
        {"v": Value(1), "tag": 2, "ns": 1},
        {"xmltag": (2, 1), "v": Value(1)},
    ],
)
def test_what_makes_no_tag_value(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        events.TagValue(**arguments)


@pytest.mark.parametrize("tag", [1, 2**31 - 1, 2**31, 2**32 - 1])
def test_an_unknown_tag_is_shown_alike(tag: int) -> None:
    shown = {
        str(events.XmlTag(7, tag)),
        str(events.TagValue(tag=tag, ns=7)),
        str(Value((tag, 7), events.C_XMLBEGIN)),
    }
    assert len(shown) == 1


def test_varbinds() -> None:
    val = Value("up")
    name = events.SnmpVarbind(events.SNMP_VARIABLE, val, events.SNMP_OCTET_STRING, name="sysName")
    oid = events.SnmpVarbind(type=events.SNMP_OID, val=val, oid=[1, 3, 2**32 - 1])
    cell = events.SnmpVarbind(events.SNMP_COL_ROW, val, cr=("ifIndex", [1, 2]))
    assert (name.vartype, name.name, name.oid) == (events.SNMP_OCTET_STRING, "sysName", None)
    assert (oid.type, oid.vartype, oid.oid) == (
        events.SNMP_OID,
        events.SNMP_NULL,
        [1, 3, 2**32 - 1],
    )
    assert (cell.column, cell.rowindex, cell.val) == ("ifIndex", [1, 2], val)


@pytest.mark.parametrize(
    ("arguments", "argument", "error"),
    [
        ((99, up), "type", ValueError),
        ((events.SNMP_VARIABLE, up), "name", TypeError),
        ((events.SNMP_VARIABLE, "up"), "val", TypeError),
        ((events.SNMP_OID, up), "oid", TypeError),
        ((events.SNMP_OID, up, 0, None, []), "oid", ValueError),
        ((events.SNMP_OID, up, 0, None, [1] * 129), "oid", ValueError),
        ((events.SNMP_OID, up, 0, None, [2**32]), "oid", OverflowError),
        ((events.SNMP_COL_ROW, up, 0, None, None, "x"), "cr", TypeError),
        ((events.SNMP_COL_ROW, up, 0, None, None, ("x", 1)), "cr", TypeError),
    ],
)
def test_what_makes_no_varbind(
    arguments: tuple[Any, ...], argument: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=argument):
        events.SnmpVarbind(*arguments)


@pytest.mark.parametrize("cls", [events.UserInfo, events.TransCtxRef])
def test_made_by_reading_alone(cls: type) -> None:
    with pytest.raises(TypeError, match="comes from read_notification"):
        cls()


def test_placeholder() -> None:
    with pytest.raises(TypeError, match="can't be instantiated"):
        events.Notification()


NS, ENUM_TAG = 0x4D2, 0x929


def test_names_of_the_schema(daemon: Daemon, connect: Connect) -> None:
    daemon.add_namespace(NS, "ex")
    daemon.add_names({NS: "http://example.com", ENUM_TAG: "state"})
    daemon.add_enumeration(NS, "/ex:state", {0: "down", 1: "up"})
    assert events.hash2str(ENUM_TAG) is None
    events.load_schemas(**daemon.address)
    try:
        assert events.hash2str(ENUM_TAG) == "state"
        assert events.hash2str(NS) == "http://example.com"
        assert events.str2hash("state") == ENUM_TAG
        assert events.ns2prefix(NS) == "ex"
        assert str(events.TagValue(tag=ENUM_TAG, ns=NS)) == "state"
        assert str(events.XmlTag(NS, ENUM_TAG)) == "state"
        up = Value(1, events.C_ENUM_VALUE)
        assert up.val2str((NS, "/ex:state")) == "up"
        assert up.val2str(schema_type=("http://example.com", "/ex:state")) == "up"
        assert Value.str2val("up", (NS, "/ex:state")) == up
        assert Value.str2val(value="down", schema_type="/ex:state") == 0
        with pytest.raises(events.Error):
            Value.str2val("sideways", (NS, "/ex:state"))
        for namespace in (NS + 1, "http://example.org"):
            with pytest.raises(ValueError, match="schema_type"):
                up.val2str((namespace, "/ex:state"))
        assert up.val2str("/ex:state") == "up"
        with pytest.raises(events.Error) as caught:
            up.val2str("/ex:other")
        assert caught.value.confd_errno == events.ERR_BADPATH
    finally:
        with Daemon() as empty:
            events.load_schemas(**empty.address)
    assert events.hash2str(ENUM_TAG) is None


def test_unknown_names() -> None:
    assert events.hash2str(0) is None
    assert events.str2hash("no such name") == 0
    assert events.ns2prefix(2**32 - 1) is None


def test_log_symbols() -> None:
    symbol, description = events.log_symbol(10), events.log_description(10)
    assert symbol
    assert description
    for number in (-1, 10**6, -(2**31), 2**31 - 1):
        assert events.log_symbol(number) is None
        assert events.log_description(number) is None
