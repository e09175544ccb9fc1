"""Files of test cases: what is read from them, what is refused and where, and what is written."""

import io
import json
from collections.abc import AsyncIterator, Sequence

import orjson
import pytest
from factories import unhurried
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.domain.dataset import BadRow, CaseContent, CaseFormat, IncomingCase
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.datasets.reading import RowLimits, read_cases
from wtb_async.infrastructure.datasets.writing import WrittenCase, write_cases

LIMITS = RowLimits(max_bytes=2000, max_depth=8)
A = CaseContent(key="a", input={"n": 1}, reference={"m": 2}, metadata={"level": "easy"})
B = CaseContent(key="b", input={})


def read(text: str | bytes, case_format: CaseFormat) -> list[IncomingCase | BadRow]:
    content = text if isinstance(text, bytes) else text.encode()
    return list(read_cases(io.BytesIO(content), case_format, LIMITS))


def good(text: str | bytes, case_format: CaseFormat) -> list[CaseContent]:
    """The cases of a file without any bad row."""
    found = read(text, case_format)
    assert [row for row in found if isinstance(row, BadRow)] == []
    return [row.content for row in found if isinstance(row, IncomingCase)]


def problems(text: str | bytes, case_format: CaseFormat) -> dict[str, str]:
    """What is said about which field."""
    rows = [row for row in read(text, case_format) if isinstance(row, BadRow)]
    return {v.field: v.message for row in rows for v in row.violations}


JSON_A = '{"id": "a", "input": {"n": 1}, "reference": {"m": 2}, "metadata": {"level": "easy"}}'
JSON_B = '{"id": "b", "input": {}}'


@pytest.mark.parametrize(
    ("text", "case_format"),
    [
        (f"{JSON_A}\n\n{JSON_B}", CaseFormat.JSONL),
        (f"{JSON_A}\r\n{JSON_B}\r\n", CaseFormat.JSONL),
        (f"[{JSON_A}, {JSON_B}]", CaseFormat.JSON),
        (f" [\n{JSON_A}\n,{JSON_B}\n]\n ", CaseFormat.JSON),
        (
            'id,input,reference,metadata\na,"{""n"": 1}","{""m"": 2}","{""level"": ""easy""}"\n'
            "b,{},,\n",
            CaseFormat.CSV,
        ),
        (
            '\ufeffinput,id,metadata.level,reference\r\n"{""n"":\n 1}",a,easy,"{""m"": 2}"\r\n'
            "\r\n{},b,,",
            CaseFormat.CSV,
        ),
    ],
)
def test_the_same_cases_are_read_from_every_format(text: str, case_format: CaseFormat) -> None:
    assert good(text, case_format) == [A, B]


def test_a_json_file_may_be_one_case() -> None:
    assert good(JSON_A, CaseFormat.JSON) == [A]


def test_parts_of_fields_in_csv_are_text_and_empty_cells_are_nothing() -> None:
    [case] = good("id,input.n,input.q,reference.a\n7,007,,yes\n", CaseFormat.CSV)
    assert case == CaseContent(key="7", input={"n": "007"}, reference={"a": "yes"})


LANGSMITH_EXAMPLE = {
    "id": "8d1c", "dataset_id": "3f", "inputs": {"q": "why?"}, "outputs": {"a": "so"},
    "metadata": {"dataset_split": ["base"]}, "created_at": "2024-05-17T05:35:51Z",
    "modified_at": None, "source_run_id": None, "attachments": {}, "attachment_urls": None,
}  # fmt: skip
FROM_LANGSMITH = CaseContent(
    key="8d1c", input={"q": "why?"}, reference={"a": "so"}, metadata={"dataset_split": ["base"]}
)


@pytest.mark.parametrize("case_format", [CaseFormat.JSONL, CaseFormat.JSON])
def test_langsmiths_examples_are_taken_as_they_are(case_format: CaseFormat) -> None:
    assert good(json.dumps(LANGSMITH_EXAMPLE), case_format) == [FROM_LANGSMITH]


@pytest.mark.parametrize(
    "text",
    [
        'id,input_q,output_a,metadata\n8d1c,why?,so,"{""dataset_split"": [""base""]}"\n',
        'id,inputs,outputs,metadata,created_at\n8d1c,"{""q"":""why?""}","{""a"":""so""}",'
        '"{""dataset_split"": [""base""]}",2024\n',
    ],
)
def test_langsmiths_csv_is_taken_as_it_is(text: str) -> None:
    assert good(text, CaseFormat.CSV) == [FROM_LANGSMITH]


def test_an_example_without_an_id_is_known_by_its_input() -> None:
    one, same, other = good(
        '{"inputs": {"a": 1, "b": 2}}\n{"inputs": {"b": 2, "a": 1}, "outputs": {}}\n'
        '{"inputs": {"a": 1}}',
        CaseFormat.JSONL,
    )
    assert one.key == same.key
    assert one.key != other.key


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("{", ""),
        ("[]", ""),
        ('{"input": {}} {}', ""),
        ('{"id": "x"}', ".input"),
        ('{"id": "x", "input": null}', ".input"),
        ('{"id": "x", "input": [1]}', ".input"),
        ('{"id": "", "input": {}}', ".id"),
        ('{"id": true, "input": {}}', ".id"),
        ('{"id": ["x"], "input": {}}', ".id"),
        (f'{{"id": "{"x" * 201}", "input": {{}}}}', ".id"),
        ('{"id": "x", "input": {}, "metadata": [1]}', ".metadata"),
        ('{"id": "x", "input": {}, "refrence": 1}', ".refrence"),
        ('{"id": "x", "input": {}, "attachments": {"a": 1}}', ".attachments"),
        ('{"id": "x", "input": {"a": NaN}}', ""),
        ('{"id": "x", "input": {"a": 1e999}}', ""),
        (r'{"id": "x", "input": {"a": "\ud800"}}', ""),
        (r'{"id": "x", "input": {"a": ["\u0000"]}}', ".input.a.0"),
        ('{"id": "x", "input": {"a": 9223372036854775808}}', ".input.a"),
        ('{"id": "x", "input": {"a": [[[[[[[1]]]]]]]}}', ".input.a.0.0.0.0.0.0"),
        (f'{{"id": "x", "input": {{"a": "{"y" * 2000}"}}}}', ""),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_field_and_the_others_are_read(
    row: str, field: str
) -> None:
    text = f"{JSON_A}\n{row}\n{JSON_B}\n"
    found = read(text, CaseFormat.JSONL)
    assert [type(each) for each in found] == [IncomingCase, BadRow, IncomingCase]
    assert list(problems(text, CaseFormat.JSONL)) == [f"line.2{field}"]


def test_everything_that_is_wrong_with_a_row_is_told_at_once() -> None:
    text = '{"id": "", "input": 1, "metadata": 2, "other": 3}'
    assert set(problems(text, CaseFormat.JSON)) == {
        "item.1.id",
        "item.1.input",
        "item.1.metadata",
        "item.1.other",
    }


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (f"[{JSON_A}, 7]", ["item.2"]),
        (f"[{JSON_A}, {{]", ["item.2"]),
        (f"[{JSON_A} {JSON_B}]", ["item.1"]),
        (f"[{JSON_A}", ["item.1"]),
        (f"[{JSON_A},", ["item.2"]),
        (f"[{JSON_A},]", ["item.2"]),
        ("[] []", ["item.1"]),
        (f"[{JSON_A}] {JSON_B}", ["item.1"]),
        (f"{JSON_A} {JSON_B}", ["item.1"]),
        ("", ["item.1"]),
        ("7", ["item.1"]),
        ("[" * 100_000, ["item.1"]),
        ('[{"id": "' + "x" * 200_000, ["item.1"]),
        (b'[{"id": "\xff"}]', ["item.1"]),
    ],
)
def test_a_broken_json_list_ends_where_it_breaks(text: str | bytes, fields: list[str]) -> None:
    assert list(problems(text, CaseFormat.JSON)) == fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("id,question\nx,why\n", ["line.1.question"]),
        ("id,id,input\nx,x,{}\n", ["line.1.id", "line.1.id"]),
        ("id,input,input.a\nx,{},1\n", ["line.1.input.a"]),
        ("id,input\nx\n", ["line.2"]),
        ("id,input\nx,{},1\n", ["line.2"]),
        ('id,input.a\n"x\ny",1\nz,\n', ["line.4.input"]),
        ("id,input\nx,{}\ny,no json\n", ["line.3.input"]),
        ('id,input\nx,{}\ny,"{}\n', ["line.3"]),
        ('id,input\nx,"{}"x\n', ["line.2"]),
        (f"id,input.a\nx,{'y' * 2001}\n", ["line.2"]),
        (b"id,input.a\nx,\xff\n", ["line.1"]),
    ],
)
def test_bad_csv_is_named_by_the_line_where_the_row_begins(
    text: str | bytes, fields: list[str]
) -> None:
    assert sorted(problems(text, CaseFormat.CSV)) == sorted(set(fields))


_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
_SCALAR = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _TEXT
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
_JSON = st.recursive(
    _SCALAR, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=5
)
_CASES = st.lists(
    st.builds(
        CaseContent,
        key=_TEXT.filter(lambda key: 1 <= len(key) <= 200),
        input=st.dictionaries(_TEXT, _JSON),
        reference=_JSON,
        metadata=st.dictionaries(_TEXT, _JSON),
    )
)


async def written(cases: Sequence[CaseContent], case_format: CaseFormat) -> bytes:
    """The file of these cases, written in chunks of two."""

    async def chunks() -> AsyncIterator[list[WrittenCase]]:
        for start in range(0, len(cases), 2):
            yield [as_text(case) for case in cases[start : start + 2]]

    return b"".join([piece async for piece in write_cases(chunks(), case_format)])


def as_text(case: CaseContent) -> WrittenCase:
    reference = None if case.reference is None else text_of(case.reference)
    return WrittenCase(case.key, text_of(case.input), reference, text_of(case.metadata))


def text_of(value: object) -> str:
    return orjson.dumps(value).decode()


@pytest.mark.parametrize("case_format", CaseFormat)
@given(cases=_CASES)
@unhurried
async def test_what_is_written_reads_back_as_the_same_cases(
    case_format: CaseFormat, cases: list[CaseContent]
) -> None:
    file = io.BytesIO(await written(cases, case_format))
    found = list(read_cases(file, case_format, RowLimits(max_bytes=1 << 20, max_depth=64)))
    assert [row.content for row in found if isinstance(row, IncomingCase)] == cases
    assert len(found) == len(cases)


@pytest.mark.parametrize("case_format", CaseFormat)
async def test_an_empty_file_holds_no_cases(case_format: CaseFormat) -> None:
    assert read(await written([], case_format), case_format) == []


def test_a_large_list_is_read_item_by_item() -> None:
    rows: list[JsonObject] = [{"id": str(n), "input": {"text": "x" * 1000}} for n in range(500)]
    for indent in (None, 2):
        text = json.dumps(rows, indent=indent)
        assert [case.key for case in good(text, CaseFormat.JSON)] == [str(n) for n in range(500)]
