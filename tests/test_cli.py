"""The command line: clear sentences, sensible exit codes, no tracebacks."""

import pytest

from perennial import cli
from tiny_notebooks import write_chapter, write_client


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["perennial"])
    write_client(tmp_path, ["02_customer_base"])
    write_chapter(tmp_path, "02_customer_base", title="The customer base")
    return tmp_path


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["perennial", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_misspelt_client_is_answered_with_the_nearest(root, monkeypatch, capsys):
    code, _out, errors = run(monkeypatch, capsys, "report", "tinny")
    assert code == 2
    assert "did you mean 'tiny'?" in errors and "Traceback" not in errors


def test_misspelt_parameter_is_answered_with_the_nearest(root, monkeypatch, capsys):
    path = root / "parameters" / "tiny.yaml"
    path.write_text(path.read_text() + "\nhorizon_month: 12\ngross_margin: 3\n")
    code, _out, errors = run(monkeypatch, capsys, "report", "tiny")
    assert code == 2
    assert "did you mean 'horizon_months'?" in errors and "gross_margin" in errors
    assert not (root / "reports" / "tiny").exists()


def test_one_wrong_client_is_told_before_any_report_starts(root, monkeypatch, capsys):
    assert run(monkeypatch, capsys, "report", "tiny", "other")[0] == 2
    assert not (root / "reports" / "tiny").exists()


def test_missing_notebook_is_named_with_those_there_are(root, monkeypatch, capsys):
    (root / "notebooks" / "02_customer_base.ipynb").rename(root / "notebooks" / "03_else.ipynb")
    code, _out, errors = run(monkeypatch, capsys, "report", "tiny")
    assert code == 2 and "no notebooks/02_customer_base.ipynb; there are: 03_else" in errors


def test_no_client_at_all_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    code, _out, errors = run(monkeypatch, capsys, "report")
    assert code == 2 and "no client to report on" in errors


@pytest.mark.slow
def test_missing_file_stops_the_report_with_its_name(root, monkeypatch, capsys):
    (root / "data" / "tiny.csv").unlink()
    code, _out, errors = run(monkeypatch, capsys, "report", "tiny")
    assert code == 2 and "data/tiny.csv" in errors and "Traceback" not in errors
    assert not list((root / "reports" / "tiny").glob(".staging-*"))


def test_clients_are_listed_and_broken_ones_named(root, monkeypatch, capsys):
    code, out, errors = run(monkeypatch, capsys, "clients")
    assert (code, errors) == (0, "")
    assert "tiny" in out and "2021-12-31" in out and "no report yet" in out
    (root / "parameters" / "broken.yaml").write_text("title: x")
    code, out, errors = run(monkeypatch, capsys, "clients")
    assert code == 2 and "broken.yaml cannot be used" in errors and "tiny" in out


def test_index_without_reports_says_what_to_do(root, monkeypatch, capsys):
    code, out, _errors = run(monkeypatch, capsys, "index")
    assert code == 0 and "reports/index.html" in out.replace("\n", "")
    assert "perennial report" in (root / "reports" / "index.html").read_text()


def test_markup_in_a_message_is_printed_as_it_is(capsys):
    cli.say_error(cli.PerennialError("column [red]amount[/red] of data/[x].csv"))
    assert "column [red]amount[/red] of data/[x].csv" in capsys.readouterr().err
