"""A delivery's file: everything that is wrong with it is told by line, column, value and what to do."""

import csv
import io

import pytest
from groundnet.provision import batch_file, csv_table
from groundnet.provision.label import Label, encode
from groundnet.provision.spreadsheet import is_formula, neutral, plain
from hypothesis import given
from hypothesis import strategies as st

ENGLISH = "profile,plate,phone,consent\nvehicle,云A12345,13800000000,\nwearable,Li Na,,guardian\n"
CHINESE = "用途,车牌号,手机号,同意人,备注\n电动车,云a·12345,13800000000,,红色\n穿戴,李娜,,监护人,\n"


def problems(text, **options):
    """(line, column, value, cause, action) of each problem."""
    found = batch_file.check(text.encode(), **options).problems
    return [(one.line, one.column, one.value, one.cause, one.action) for one in found]


def the_problem(text, **options):
    (only,) = problems(text, **options)
    return only


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_whatever_spreadsheet_wrote_it_the_rows_are_the_same(text, encoding, delimiter):
    found = batch_file.check(text.replace(",", delimiter).encode(encoding))
    assert found.problems == []
    assert [(row.line, row.draft.profile, row.subject, row.draft.consent) for row in found.wanted] == [
        (2, "vehicle", "云A12345", ""),
        (3, "wearable", "李娜" if text is CHINESE else "Li Na", "guardian"),
    ]
    assert found.delimiter == delimiter
    assert found.unused == (("备注",) if text is CHINESE else ())


def test_both_languages_name_the_same_rows():
    rows = [batch_file.check(text.replace("李娜", "Li Na").encode()).wanted for text in (ENGLISH, CHINESE)]
    assert [row.key for row in rows[0]] == [row.key for row in rows[1]]


def test_leading_zeros_stay_and_quoted_lines_count():
    text = 'sep=,\nprofile,ear tag,note\nlivestock,012345678901234,"two\nlines"\n\nlivestock,="000000000000001",\n'
    found = batch_file.check(text.encode())
    assert [(row.line, row.subject) for row in found.wanted] == [
        (3, "012345678901234"),
        (6, "000000000000001"),
    ]


@pytest.mark.parametrize(
    ("row", "column", "value", "cause", "action"),
    [
        ("vehicle,=HYPERLINK(A1),", "plate", "=HYPERLINK(A1)", "formula", "paste it as values"),
        ("vehicle,云A12345,=1+1", "phone", "=1+1", "formula", "paste it as values"),
        ("vehicle,＝A1,", "plate", "＝A1", "formula", "paste it as values"),
        ("vehicle,@SUM(1),", "plate", "@SUM(1)", "formula", "paste it as values"),
        ("vehicle,云A12345,-13800000000", "phone", "-13800000000", "formula", "paste it as values"),
        ("livestock,1.23457E+14,", "plate", "1.23457E+14", "shortened", "set the column to text"),
        ("livestock,12345678901234,", "plate", "12345678901234", "15 digits", "leading zeros"),
        ("livestock,123,", "plate", "123", "15 digits", "scan the ear tag"),
        ("vehicle,,", "plate", "", "plate is not complete", "type all letters"),
        ("vehicle,云A12345,138", "phone", "138", "telephone number is not complete", "11 digits"),
        ("boat,云A12345,", "profile", "boat", "not known", "vehicle, livestock, wearable, sentry"),
        ("vehicle,云A12345,,extra", "", "extra", "more cells than the header", "quotation marks"),
    ],
)
def test_a_bad_row_is_told_by_line_column_value_and_what_to_do(row, column, value, cause, action):
    found = the_problem(f"profile,plate,phone\nvehicle,云B00001,\n{row}\n")
    assert found[:3] == (3, column, value)
    assert cause in found[3] and action in found[4]
    assert found[3].zh != found[3] and found[4].zh != found[4]  # both languages


def test_everything_that_is_wrong_with_a_row_is_told_at_once():
    text = "profile,plate,phone,consent,device\nboat,=A1,12,maybe,XYZ\n"
    assert [one[:3] for one in problems(text)] == [
        (2, "plate", "=A1"),
        (2, "profile", "boat"),
        (2, "consent", "maybe"),
        (2, "device", "XYZ"),
        (2, "phone", "12"),
    ]


def test_consent_and_device_columns_are_checked():
    label = encode(Label(bytes.fromhex("0000020000000001")))
    rows = ("王芳,,", f"王芳,本人,{label}", f"李明,本人,{label[:-1]}0", "李明,也许,XYZ")
    text = "用途,姓名,同意,设备\n" + "".join(f"老人,{row}\n" for row in rows)
    found = batch_file.check(text.encode())
    assert [(one.line, one.column) for one in found.problems] == [
        (2, "同意"),
        (4, "设备"),
        (5, "同意"),
        (5, "设备"),
    ]
    assert found.wanted[0].device_id == bytes.fromhex("0000020000000001")


def test_what_is_there_twice_is_told_with_the_first_line():
    text = "plate,role\n云A12345,\n云a·12345,\n云A12345,tracker\n"
    assert the_problem(text)[:3] == (3, "plate", "云A12345")
    assert "line 2" in the_problem(text)[3]
    text = "plate,device\n云A12345,0000020000000001\n云A12346,0000020000000001\n"
    assert the_problem(text)[:3] == (3, "device", "0000020000000001")


def test_a_province_is_added_where_there_is_none():
    (row,) = batch_file.check(b"plate\nA12345\n", province="云").wanted
    assert row.subject == "云A12345"


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"PK\x03\x04rest", "workbook"),
        (b"\xd0\xcf\x11\xe0rest", "workbook"),
        (b"", "empty"),
        (b"\xef\xbb\xbf", "no row"),
        (b"plate\n", "no row"),
        (b"\xff\x00\x81", "neither"),
        (b"colour,price\nred,3\n", "no plate"),
        (b"plate,name\nA,B\n", "mean the same"),
        (b'plate,phone\n"A12345,\n', "line 2 is no CSV"),
        (b"plate\n" + b"A12345\n" * (csv_table.MOST_ROWS + 1), "too many"),
    ],
)
def test_what_is_no_such_table_is_refused_whole(data, cause):
    with pytest.raises(csv_table.TableError) as caught:
        batch_file.check(data)
    assert cause in caught.value.cause


def test_the_encoding_is_judged_by_the_header_not_by_chance():
    data = "车牌,用途\n云A12345,车\n".encode("gb18030")
    assert batch_file.check(data).encoding == "gb18030"
    assert batch_file.check(b"plate\nA12345\n").encoding == "utf-8-sig"


@given(st.text())
def test_a_neutral_cell_is_no_formula_and_reads_back(text):
    assert plain(neutral(text)) == text
    assert not is_formula(neutral(text))


@given(
    st.lists(st.lists(st.text(alphabet="=+-@'0123456789E.,;\t\" A云", max_size=6), min_size=2, max_size=2))
)
def test_cells_survive_a_way_through_a_spreadsheet(rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([neutral(cell) for cell in row] for row in rows)
    back = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert [[plain(cell) for cell in row] for row in back] == [row if row != [""] else [] for row in rows]


@given(st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_rows_problems_or_a_refusal(data):
    for begin in (b"", b"plate,phone,consent,profile,device,role\n"):
        try:
            found = batch_file.check(begin + data)
        except csv_table.TableError as error:
            assert error.cause and error.action
        else:
            assert found.wanted or found.problems
