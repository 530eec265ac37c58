"""Prints which packages this interpreter lacks, as pip takes them: of the extra `test`, all or those that are named."""

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

if sys.version_info < (3, 10):
    sys.exit(f"Python 3.10 or newer is needed, and this is {sys.version.split()[0]}: set PYTHON to another.")


def is_there(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


pyproject = Path(__file__).parent.parent / "pyproject.toml"
extra = re.search(r"^test = \[(.*?)^\]", pyproject.read_text(), re.DOTALL | re.MULTILINE)[1]
for requirement in re.findall(r'"(.*?)"', extra):
    name = re.match(r"[\w-]+", requirement)[0]
    # some names are those of wheels, which a distribution builds itself
    if (name in sys.argv[1:] or not sys.argv[1:]) and not any(
        map(is_there, (name, name.removesuffix("-binary")))
    ):
        print(requirement)
