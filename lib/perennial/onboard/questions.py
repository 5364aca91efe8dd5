"""What files cannot tell: asked on a terminal, answered beforehand, or left open with the likeliest answer."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from perennial.errors import ParameterError
from perennial.parameters import Parameters


@dataclass(frozen=True)
class Question:
    """One question. ``key`` is where the answer stands in the YAML, with dots between the levels.

    ``options`` are the possible answers and what each means; none where any text will do. ``default`` is taken when
    nobody answers; None where no answer is likely enough to go on with.
    """

    key: str
    text: str
    options: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None


class Answers:
    """Answers given beforehand by key (or the end of one), and the way to ask for more.

    Attributes
    ----------
    open : the questions nobody answered, by key.
    """

    def __init__(self, given: Mapping[str, str], prompt: Callable[[Question], str] | None = None):
        self._given = dict(given)
        self._used: set[str] = set()
        self._prompt = prompt
        self._asked: list[str] = []
        self.open: dict[str, Question] = {}

    def ask(self, question: Question) -> str | None:
        """The answer: given beforehand, else asked for, else the default, and then the question stays open.

        Raises
        ------
        ParameterError
            When the answer is none of the options.
        """
        self._asked.append(question.key)
        answer = self.given(question.key)
        if answer is None and self._prompt is not None:
            answer = self._prompt(question)
        if answer is None:
            self.open[question.key] = question
            return question.default
        if question.options and answer not in question.options:
            problem = f"{question.key}: the answer is one of: {', '.join(question.options)}"
            raise ParameterError(f"the answer '{answer}' cannot be used:", [problem])
        return answer

    def given(self, key: str) -> str | None:
        """The answer given beforehand for a key, which may be told by its last parts alone."""
        ends = [k for k in self._given if k not in Parameters.model_fields and key.endswith("." + k)]
        for name in (key, *ends):
            if name in self._given:
                self._used.add(name)
                return self._given[name]
        return None

    def require_used(self) -> None:
        """Check that no answer was given for nothing.

        Raises
        ------
        ParameterError
            With one sentence per answer that no question asked for, naming the nearest question.
        """
        problems = []
        for name in self._given:
            if name not in self._used:
                near = difflib.get_close_matches(name, self._asked, n=1, cutoff=0.3)
                hint = f"did you mean '{near[0]}'?" if near else "it had no questions"
                problems.append(f"'{name}' answers none of its questions; {hint}")
        if problems:
            raise ParameterError("an answer cannot be used:", problems)
