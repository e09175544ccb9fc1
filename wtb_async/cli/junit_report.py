"""What a gate found as JUnit XML, in the dialect that Jenkins, GitLab and GitHub actions read.

A test suite for each combination, and one for the batch test as a whole. Test cases are the
conditions of the gate, doubtful ones skipped, and the executions that failed, as errors.
"""

import re
from collections import defaultdict
from datetime import UTC
from xml.etree import ElementTree as ET

from wtb_async.cli.judgement import Judgement, concerned, execution_name
from wtb_async.domain.comparison import combination_label
from wtb_async.domain.gate.gate import Finding, Outcome
from wtb_async.sdk.batch_models import BatchTest, ResultRow

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may contain, not even escaped."""

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
"""The attributes that count, and what each of them counts."""


def junit_report(judged: Judgement) -> bytes:
    """Write the document, in UTF-8."""
    suites = ET.Element("testsuites", name=_text(judged.batch.name))
    for suite in _suites(judged):
        suites.append(suite)
    _count(suites)
    # Jenkins' schema knows this attribute for suites alone.
    del suites.attrib["skipped"]
    ET.indent(suites)
    document: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document


def _suites(judged: Judgement) -> list[ET.Element]:
    whole = judged.batch.name
    cases: dict[str, list[ET.Element]] = defaultdict(list)
    for finding in judged.report.findings:
        suite = concerned(finding) or whole
        cases[suite].append(_condition(finding, suite))
    for row in judged.failed:
        suite = combination_label(row.combination)
        cases[suite].append(_failed_execution(row, suite))
    return [_suite(name, elements, judged.batch) for name, elements in cases.items()]


def _suite(name: str, cases: list[ET.Element], batch: BatchTest) -> ET.Element:
    suite = ET.Element("testsuite", name=_text(name))
    suite.extend(cases)
    _count(suite)
    if batch.finished_at is not None:
        moment = batch.finished_at.astimezone(UTC)
        suite.set("timestamp", moment.replace(tzinfo=None).isoformat(timespec="seconds"))
    return suite


def _condition(finding: Finding, suite: str) -> ET.Element:
    case = _case(suite, f"fail if {finding.condition}", seconds=0.0)
    if finding.outcome is Outcome.FAILED:
        told = ET.SubElement(case, "failure", message=_text(finding.message), type="condition")
        told.text = _text(finding.message)
    elif finding.outcome is Outcome.DOUBTFUL:
        ET.SubElement(case, "skipped", message=_text(finding.message))
    else:
        ET.SubElement(case, "system-out").text = _text(finding.message)
    return case


def _failed_execution(row: ResultRow, suite: str) -> ET.Element:
    case = _case(suite, execution_name(row), seconds=(row.duration_ms or 0.0) / 1000)
    kind, message = (row.error.type, row.error.message) if row.error else ("", "it failed")
    told = ET.SubElement(case, "error", message=_text(message), type=_text(kind))
    node = f"node {row.error.node}, " if row.error and row.error.node else ""
    told.text = _text(f"{node}execution {row.execution_id}")
    return case


def _case(suite: str, name: str, *, seconds: float) -> ET.Element:
    return ET.Element("testcase", classname=_text(suite), name=_text(name), time=f"{seconds:.3f}")


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(list(element.iter("testcase")))))
    for attribute, tag in _COUNTED.items():
        element.set(attribute, str(len(list(element.iter(tag)))))
    seconds = sum(float(case.get("time", "0")) for case in element.iter("testcase"))
    element.set("time", f"{seconds:.3f}")


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
