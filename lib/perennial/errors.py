"""The one family of exceptions: every message is a sentence a consultant can act on."""

from collections.abc import Iterable


class PerennialError(Exception):
    """Something the user can mend; shown without a traceback."""


class ParameterError(PerennialError):
    """A client's YAML (or a notebook's parameters) cannot be used.

    Holds every problem found, so that all can be mended in one go.
    """

    def __init__(self, heading: str, problems: Iterable[str]):
        self.heading = heading
        self.problems = list(problems)
        super().__init__("\n".join([heading, *(f"  - {problem}" for problem in self.problems)]))


class InputError(PerennialError):
    """A client's file or table cannot be used: names the file, the column and what to do."""


class MissingTableError(InputError):
    """A chapter asked for a table that the client did not give."""


class ModelError(PerennialError):
    """A model cannot be fitted on these customers: says why, and what would make it possible."""


class ReportError(PerennialError):
    """A report could not be made complete: says which chapters failed and where to look."""
