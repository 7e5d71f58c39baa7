"""Value: made from Python, printed, compared, read back."""

from __future__ import annotations

import copy
import pickle
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
    (None, "C_NOEXISTS", "NOEXISTS", None),
    (None, "C_DEFAULT", "DEFAULT", "DEFAULT"),
    ("text", "C_BUF", "text", "text"),
    ("", "C_BUF", "", ""),
    (b"M\xfcller", "C_BUF", "M\udcfcller", "M\udcfcller"),
    ("text", "C_STR", '"text"', '"text"'),
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
    ("P1Y2M3DT4H5M6S.7", "C_DURATION", "P1Y2M3DT4H5M6S.7", "P1Y2M3DT4H5M6S.7"),
    (timedelta(days=3, hours=4, minutes=5), "C_DURATION", "P3DT4H5M0S.0", "P3DT4H5M0S.0"),
    (timedelta(0), "C_DURATION", "P", "P"),
    (3, "C_ENUM_VALUE", "enum<3>", 3),
    (5, "C_BIT32", "bits<0x5>", 5),
    (6, "C_BIT64", "bits<0x6>", 6),
    (b"\xff\x00\x01", "C_BITBIG", "bits<0x0100ff>", b"\xff\x00\x01"),
    (["a", "b"], "C_LIST", "a b", ["a", "b"]),
    ([], "C_LIST", "", []),
    ([[1, True], "x"], "C_LIST", "1 true x", [[1, True], "x"]),
    ("1.3.6", "C_OID", "1.3.6", "1.3.6"),
    ([1, 3, 2**32 - 1], "C_OID", "1.3.4294967295", "1.3.4294967295"),
    (b"\x00\x01", "C_BINARY", "0001", b"\x00\x01"),
    ("aa:bb", "C_HEXSTR", "aa:bb", "aa:bb"),
    (Decimal("123.45"), "C_DECIMAL64", "123.45", Decimal("123.45")),
    ((-5, 3), "C_DECIMAL64", "-.005", Decimal("-0.005")),
    ("0", "C_DECIMAL64", ".0", Decimal("0.0")),
    ((1111, 2222), "C_IDENTITYREF", "idref<2222>", "idref<2222>"),
    (events.XmlTag(1, 2222), "C_XMLTAG", "tag<2222>", events.XmlTag(1, 2222)),
    ((1, 2222), "C_XMLBEGIN", "tag<2222>", events.XmlTag(1, 2222)),
    ("1.2.3.4", "C_DQUAD", "1.2.3.4", "1.2.3.4"),
    (("if", "name"), "C_QNAME", "if:name", "if:name"),
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
        (events.DateTime(2026, 1, 2), "2026-01-02T00:00:00"),
    ],
)
def test_datetime(init: Any, text: str) -> None:
    made = Value(init, events.C_DATETIME)
    assert str(made) == text
    assert str(made.as_pyval()) == text
    assert Value(init) == made or isinstance(init, str)


@pytest.mark.parametrize(
    ("init", "name"),
    [
        (True, "C_BOOL"),
        (-5, "C_INT32"),
        (1.5, "C_DOUBLE"),
        ("x", "C_BUF"),
        (b"x", "C_BINARY"),
        ([1], "C_LIST"),
        (events.XmlTag(1, 2), "C_XMLTAG"),
        (None, "C_NOEXISTS"),
    ],
)
def test_inferred_type(init: Any, name: str) -> None:
    assert Value(init).confd_type_str() == name


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
    assert str(Value(text, events.C_STR)) == f'"{text}"'


@given(st.recursive(st.integers(0, 9) | st.text("ab") | st.booleans(), st.lists, max_leaves=30))
def test_nested_lists(tree: Any) -> None:
    assert Value(tree).as_pyval() == tree


@given(st.datetimes(timezones=st.sampled_from([None, timezone.utc, IST])))
def test_datetime_round_trip(moment: datetime) -> None:
    got = Value(moment).as_pyval()
    assert got.to_datetime() == moment
    assert got.to_datetime().utcoffset() == moment.utcoffset()


@pytest.mark.parametrize(
    ("init", "name", "error"),
    [
        ("1", "C_INT32", TypeError),
        (1.5, "C_INT32", TypeError),
        (1, "C_BOOL", TypeError),
        (1, "C_BUF", TypeError),
        ("a\0b", "C_STR", ValueError),
        ("10.0.0.256", "C_IPV4", ValueError),
        ("10.0.0.1", "C_IPV6", ValueError),
        ("10.0.0.0", "C_IPV4PREFIX", ValueError),
        ("10.0.0.0/33", "C_IPV4PREFIX", OverflowError),
        ("yesterday", "C_DATETIME", ValueError),
        (5, "C_DATETIME", TypeError),
        ("P-1D", "C_DURATION", ValueError),
        ("1..3", "C_OID", ValueError),
        ([1] * 129, "C_OID", ValueError),
        (["x"], "C_OID", TypeError),
        ("text", "C_LIST", TypeError),
        ([object()], "C_LIST", TypeError),
        ((1, 19), "C_DECIMAL64", OverflowError),
        ("NaN", "C_DECIMAL64", ValueError),
        ("1.2.3", "C_DQUAD", ValueError),
        ("zz", "C_HEXSTR", ValueError),
        (5, "C_NOEXISTS", TypeError),
        (5, "C_OBJECTREF", ValueError),
    ],
)
def test_refused(init: Any, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Value(init, getattr(events, name))


@pytest.mark.parametrize("number", [-1, 0, 63, 64, 2**31 - 1])
def test_unknown_type(number: int) -> None:
    with pytest.raises(ValueError, match="type"):
        Value(1, number)


def test_equality() -> None:
    assert Value(1) == Value(1)
    assert Value(1) != Value(2)
    assert Value(1) != Value(1, events.C_UINT32)
    assert Value(1) != 1
    assert len({Value("a"), Value("a"), Value("b")}) == 2
    assert hash(Value(0.0)) == hash(Value(-0.0))
    assert Value(Value("a")) == Value("a")


def test_list_is_a_sequence() -> None:
    made = Value(["a", 1, True])
    assert len(made) == 3
    assert [item.as_pyval() for item in made] == ["a", 1, True]
    assert made[-1] == Value(True)
    assert made[:2] == [Value("a"), Value(1)]
    assert made.as_list() == [Value("a"), Value(1), Value(True)]
    with pytest.raises(IndexError):
        made[3]


def test_only_a_list_is_a_sequence() -> None:
    for use in (len, iter, Value.as_list, lambda v: v[0]):
        with pytest.raises(TypeError, match="C_INT32"):
            use(Value(1))
    assert Value(0)
    assert not Value([])


def test_accessors_of_one_type() -> None:
    assert Value((12345, 2), events.C_DECIMAL64).as_decimal64() == (12345, 2)
    assert Value(events.XmlTag(1, 2)).as_xmltag() == events.XmlTag(1, 2)
    for accessor in (Value.as_decimal64, Value.as_xmltag):
        with pytest.raises(TypeError, match="C_BUF"):
            accessor(Value("x"))


def test_long_text_is_printed_whole() -> None:
    assert str(Value("x" * 100_000)) == "x" * 100_000
    assert str(Value(["abc"] * 10_000)) == " ".join(["abc"] * 10_000)


def test_a_copy_is_the_value_itself() -> None:
    """It is immutable."""
    made = Value(["a", 1])
    assert copy.copy(made) is made
    assert copy.deepcopy({"v": made}) == {"v": made}
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(made)


def test_small_classes() -> None:
    tag = events.XmlTag(ns=1, tag=2)
    link = events.ProgressLink("t", "s")
    moment = events.DateTime(2024, 2, 29, 23, 59, 59, 5, -5, -30)
    held = events.TagValue(1, 2, Value("x"))
    assert (tag.ns, tag.tag, str(tag)) == (1, 2, "tag<2>")
    assert (link.trace_id, link["trace_id"], link["span_id"]) == ("t", "t", "s")
    assert moment.to_datetime() == datetime(2024, 2, 29, 23, 59, 59, 5, IST)
    assert (held.ns, held.tag, held.v, str(held)) == (1, 2, Value("x"), "tag<2>")
    assert held == events.TagValue(1, 2, Value("x"))
    for item in (tag, link, moment):
        assert copy.copy(item) == item
        assert pickle.loads(pickle.dumps(item)) == item
        assert hash(item) == hash(copy.copy(item))
        assert item != object()
    with pytest.raises(KeyError):
        link["x"]  # type: ignore[index]


@pytest.mark.parametrize("cls", [events.UserInfo, events.TransCtxRef, events.SnmpVarbind])
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
        assert str(events.TagValue(NS, ENUM_TAG, Value(1))) == "state"
        assert str(events.XmlTag(NS, ENUM_TAG)) == "state"
        up = Value(1, events.C_ENUM_VALUE)
        assert up.val2str((NS, "/ex:state")) == "up"
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
