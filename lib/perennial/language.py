"""Every sentence, title or label that code makes passes through ``_()``, so that an edition is a catalogue."""

import gettext
from pathlib import Path

CATALOGUES = Path(__file__).parent / "catalogues"
_current: gettext.NullTranslations = gettext.NullTranslations()


def set_language(code: str) -> None:
    """Translate all later sentences into ``code`` (``"en"``, ``"zh"``); English where no catalogue exists."""
    global _current
    _current = gettext.translation("perennial", CATALOGUES, languages=[code], fallback=True)


def _(message: str, **values: object) -> str:
    """The message in the current language, its named placeholders filled: ``_("{n} customers", n="12")``."""
    text = _current.gettext(message)
    return text.format(**values) if values else text


def plural(one: str, many: str, count: int, /, **values: object) -> str:
    """The message in its form for ``count`` things; ``{count}`` must be given among the values, already formatted."""
    text = _current.ngettext(one, many, count)
    return text.format(**values) if values else text
