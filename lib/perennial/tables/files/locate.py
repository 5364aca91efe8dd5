"""Where a source's files lie: in the project, absolute, in an installed package; one file, a folder or a glob."""

import difflib
import glob
import importlib.util
import re
from pathlib import Path

from perennial.errors import InputError
from perennial.parameters import Parameters, Source
from perennial.tables.files.raw import Place

PACKAGE = "package:"


def resolve(path: str, root: Path) -> Path:
    """Where a path lies: in the project, absolute, or ``package:<name>/<file>`` of an installed package."""
    if not path.startswith(PACKAGE):
        return root / path
    package, _, inside = path.removeprefix(PACKAGE).partition("/")
    spec = importlib.util.find_spec(package)  # finds it without importing it
    if spec is None or spec.origin is None:
        raise InputError(f"{path}: the Python package '{package}' is not installed; run the set-up again")
    return Path(spec.origin).parent / inside


def places(path: str, root: Path) -> list[Place]:
    """The files a path stands for, by name: itself, all files of a folder (hidden ones apart), or a glob's."""
    place = resolve(path, root)
    if place.is_file():
        return [Place(path, place)]
    found = place.iterdir() if place.is_dir() else map(Path, glob.glob(str(place), recursive=True))
    files = [file for file in found if file.is_file() and not file.name.startswith((".", "~$"))]
    return [Place(_shown(file, root), file) for file in sorted(files, key=_by_number)]


def _by_number(file: Path) -> list[tuple[str, int]]:
    """A key that puts part 9 before part 10."""
    parts = re.findall(r"(\D*)(\d*)", str(file))
    return [(text, int(number or -1)) for text, number in parts]


def _shown(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def source_places(source: Source, root: Path) -> list[Place]:
    """All files of a source, each once, in the order declared; the lookup's not among them."""
    found: dict[Path, Place] = {}
    for path in source.paths:
        for place in places(path, root):
            found.setdefault(place.path.resolve(), place)
    return list(found.values())


def lookup_place(path: str, root: Path) -> Place:
    """The one file of a lookup or another table beside a source."""
    return Place(path, resolve(path, root))


def missing_files(parameters: Parameters, root: Path) -> list[str]:
    """One sentence per declared path that holds no file, or an empty one."""
    problems = []
    for where, path in declared_paths(parameters):
        try:
            found = places(path, root)
        except InputError as error:
            problems.append(f"{where}: {error}")
            continue
        if not found:
            place = resolve(path, root)
            missing = f"there is no file '{path}'{_nearest_file(place)}"
            problems.append(f"{where}: the folder '{path}' holds no files" if place.is_dir() else f"{where}: {missing}")
        problems += [f"{where}: the file '{p.name}' is empty" for p in found if p.path.stat().st_size == 0]
    return problems


def declared_paths(parameters: Parameters) -> list[tuple[str, str]]:
    """Every path in a client's parameters, with the key it stands under."""
    found = []
    for table, source in parameters.sources.items():
        found += [(f"sources.{table}", path) for path in source.paths]
        if source.lookup:
            found.append((f"sources.{table}.lookup", source.lookup.path))
    cleaning = parameters.cleaning
    if cleaning.merge_customers:
        found.append(("cleaning.merge_customers", cleaning.merge_customers.path))
    if isinstance(cleaning.rates, str):
        found.append(("cleaning.rates", cleaning.rates))
    return found


def _nearest_file(place: Path) -> str:
    siblings = [p.name for p in place.parent.iterdir()] if place.parent.is_dir() else []
    near = difflib.get_close_matches(place.name, siblings, n=1)
    return f"; did you mean '{near[0]}'?" if near else f" (looked in {place.parent.name}/)"
