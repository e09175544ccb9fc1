"""The marker of the pytest plugin: what it takes, and what is said where it is wrong."""

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("plugin_alone")


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("()", "*@pytest.mark.wtb: missing 1 required positional argument: 'workflow'*"),
        ('("rag", datset="questions")', "*unexpected keyword argument 'datset'*"),
        ('("rag")', "*give a dataset or test_cases, one of them*"),
        ('("rag", dataset="q", test_cases=[])', "*give a dataset or test_cases, one of them*"),
        ('("rag", test_cases=[{"input": {}}])', "*a test case has an id: *"),
    ],
)
def test_a_marker_that_cannot_be_read_fails_the_collection(
    pytester: pytest.Pytester, marker: str, said: str
) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.wtb{marker}\ndef test_it(wtb_result): pass\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])


def test_marker_and_fixture_need_each_other(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_fixture="def test_it(wtb_result): pass\n",
        test_marker="import pytest\n@pytest.mark.wtb('rag', test_cases=[])\ndef test_it(): pass\n",
    )
    result = pytester.runpytest("--continue-on-collection-errors")
    result.stdout.fnmatch_lines_random(
        [
            "wtb_result needs a test that is marked: @pytest.mark.wtb(...)",
            "*a test that is marked wtb takes the fixture wtb_result*",
        ]
    )


def test_the_marker_and_the_option_are_documented(pytester: pytest.Pytester) -> None:
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.wtb(workflow, *"])
    pytester.runpytest("--help").stdout.fnmatch_lines(["*--wtb-data-dir=DIR*"])
