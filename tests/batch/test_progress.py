"""Progress: plain lines for logs, one moving line on a terminal; the log keeps everything."""

from __future__ import annotations

import io

from trialmlm.batch.progress import Log, PlainReporter, TerminalReporter


def test_plain_lines_are_printed_as_they_are_said() -> None:
    stream = io.StringIO()
    log = Log(PlainReporter(stream))
    log.say("read adsl")
    log.step("Table 1")
    log.warn("values differ")
    assert stream.getvalue() == "read adsl\nTable 1\nWARNING: values differ\n"


def test_the_log_keeps_every_line_and_counts_warnings() -> None:
    log = Log()
    log.say("a")
    log.step("b")
    log.warn("c")
    assert log.text == "a\nb\nWARNING: c\n"
    assert log.warnings == ["c"]


def test_a_terminal_sees_one_line_that_moves_and_a_clean_one_at_the_end() -> None:
    stream = io.StringIO()
    with TerminalReporter(2, stream) as reporter:
        reporter.step("analysis mmrm")
        reporter.say("  model: CHG ~ ARM")
        reporter.step("Table 1")
    written = stream.getvalue()
    assert "\n" not in written
    assert "1/2 analysis mmrm" in written
    assert "2/2 Table 1" in written
    assert "CHG ~ ARM" not in written
    assert written.endswith("\r\x1b[2K")


def test_a_terminal_sees_warnings_and_errors_above_the_moving_line() -> None:
    stream = io.StringIO()
    with TerminalReporter(1, stream) as reporter:
        reporter.step("analysis mmrm")
        reporter.say("ERROR: analysis mmrm: no data")
    assert "\r\x1b[2KERROR: analysis mmrm: no data\n" in stream.getvalue()


def test_more_steps_than_announced_do_not_overflow_the_bar() -> None:
    stream = io.StringIO()
    with TerminalReporter(1, stream) as reporter:
        for _ in range(5):
            reporter.step("x")
    assert max(line.count("█") for line in stream.getvalue().split("\r")) == 24
