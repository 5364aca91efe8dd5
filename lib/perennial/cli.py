"""The command line: ``perennial report cdnow``, ``perennial check cdnow``, ``perennial clients`` and more."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from perennial.errors import ParameterError, PerennialError

app = typer.Typer(
    help="Reports from customer data: who stays, who leaves, what they are worth, where the room to grow is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_FAILED, _BAD_PARAMETERS, _INTERRUPTED = 1, 2, 130


def main() -> None:
    """Run a command; what the user can mend is said in words, without a traceback."""
    try:
        app()
    except PerennialError as error:
        say_error(error)
        sys.exit(exit_code(error))


def exit_code(error: PerennialError) -> int:
    """2 where parameters are wrong, 1 for all else."""
    return _BAD_PARAMETERS if isinstance(error, ParameterError) else _FAILED


def say_error(error: PerennialError) -> None:
    """Print an error's sentences as they are: no markup, no wrapping, no traceback."""
    Console(stderr=True, soft_wrap=True).print(str(error), markup=False, highlight=False, style="red")


@app.callback()
def _commands() -> None:
    """Keeps the commands' names even while there is only one."""


@app.command()
def report(
    clients: Annotated[list[str] | None, typer.Argument(help="Names of clients; all of them if none is given.")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Chapters to run at a time.")] = 2,
    keep_going: Annotated[bool, typer.Option(help="Go on with the next client when a report fails.")] = False,
) -> None:
    """Make reports: reports/<client>/latest/report.html and all its files."""
    from perennial.client import known_clients, project_root, read_parameters
    from perennial.report.index import write_index

    root = project_root()
    names = clients or known_clients(root)
    if not names:
        raise ParameterError("no client to report on:", [f"there is no parameters/*.yaml in {root}"])
    for name in names:
        read_parameters(name, root)  # every typo is told before the first report starts
    codes = []
    for name in names:
        codes.append(_report_one(name, root, jobs))
        if codes[-1] == _INTERRUPTED or (codes[-1] and not keep_going):
            break
    index = write_index(root)
    Console(soft_wrap=True).print(f"All reports: {_shown(index)}", highlight=False)
    raise typer.Exit(max(codes))


def _report_one(name: str, root: Path, jobs: int) -> int:
    from perennial.report.progress import Progress
    from perennial.report.run import make_report

    try:
        with Progress(name) as progress:
            result = make_report(name, root, jobs=jobs, tell=progress.tell)
    except PerennialError as error:
        say_error(error)
        return exit_code(error)
    except KeyboardInterrupt:
        Console(stderr=True).print(f"{name}: stopped. Nothing was published.")
        return _INTERRUPTED
    console = Console(soft_wrap=True, stderr=bool(result.problems))
    for problem in result.problems:
        console.print(f"  {problem}", markup=False, highlight=False, style="red")
    words = "report ready" if not result.problems else "report NOT complete, kept for a look; latest is unchanged"
    made = f"{name}: {words} in {result.seconds:.0f} s, {result.peak_memory_mb / 1000:.2f} GB"
    console.print(f"{made}: {_shown(result.report)}", markup=False, highlight=False)
    return _FAILED if result.problems else 0


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@app.command()
def new(
    client: Annotated[str, typer.Argument(help="A name for the client: lower-case letters, digits, - and _.")],
    files: Annotated[list[str] | None, typer.Argument(help="The client's files, folders or quoted globs.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="What a file holds: transactions=FILE, leads=FILE …")] = None,
    database: Annotated[str | None, typer.Option(help="Environment variable that holds a database's URI.")] = None,
    db_table: Annotated[str | None, typer.Option(help="The database's table or view with the orders.")] = None,
    title: Annotated[str | None, typer.Option(help="Stands on the report's cover.")] = None,
    currency: Annotated[str | None, typer.Option(help="Three letters, such as EUR.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The last day counted, such as 2025-12-31.")] = None,
    locale: Annotated[str, typer.Option(help="The language of the files, such as zh.")] = "en",
    answer: Annotated[list[str] | None, typer.Option(help="KEY=VALUE: the answer to one of its questions.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; questions stay in the file.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace parameters/<client>.yaml.")] = False,
) -> None:
    """Look at files and write parameters/<client>.yaml, with what is unsure marked as a question."""
    from perennial.onboard.ask import run_new

    answers = [*(answer or []), *([f"currency={currency}"] if currency else [])]
    run_new(client, files or [], table or [], (database, db_table), (title, as_of, locale), answers, yes, force)


@app.command()
def check(
    clients: Annotated[list[str] | None, typer.Argument(help="Names of clients; all of them if none is given.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a client and nothing else.")] = False,
) -> None:
    """Say in seconds whether a report can be made (exit code 0), and what its first chapter will say."""
    from perennial.check import as_text, check_client
    from perennial.client import known_clients, project_root

    root = project_root()
    names = clients or known_clients(root)
    if not names:
        raise ParameterError("no client to check:", [f"there is no parameters/*.yaml in {root}"])
    codes = []
    for name in names:
        found = check_client(name, root)
        codes.append(found.code)
        is_error = bool(found.code) and not json
        typer.echo(found.to_json() if json else as_text(found), err=is_error)
    raise typer.Exit(max(codes))


@app.command()
def clients() -> None:
    """List the clients that have a parameter file."""
    from perennial.client import known_clients, project_root, read_parameters

    console, worst = Console(soft_wrap=True), 0
    for name in known_clients(project_root()):
        try:
            parameters = read_parameters(name)
        except ParameterError as error:
            say_error(error)
            worst = _BAD_PARAMETERS
            continue
        is_made = (project_root() / "reports" / name / "latest" / "report.html").is_file()
        made = "report made" if is_made else "no report yet"
        line = f"{name}  {parameters.title}  as of {parameters.as_of:%Y-%m-%d}  {made}"
        console.print(line, markup=False, highlight=False)
    raise typer.Exit(worst)


@app.command()
def index() -> None:
    """Write reports/index.html anew."""
    from perennial.client import project_root
    from perennial.report.index import write_index

    Console(soft_wrap=True).print(str(_shown(write_index(project_root()))), highlight=False)
