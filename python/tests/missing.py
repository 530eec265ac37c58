"""Prints which packages this interpreter lacks, as pip takes them: all of the extra `test`, or those of any that are named."""

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


pyproject = (Path(__file__).parent.parent / "pyproject.toml").read_text()
extras = dict(re.findall(r"^(test|lint) = \[(.*?)^\]", pyproject, re.DOTALL | re.MULTILINE))
for requirement in re.findall(r'"(.*?)"', extras["test"] + (extras["lint"] if sys.argv[1:] else "")):
    name = re.match(r"[\w-]+", requirement)[0]
    # some names are those of wheels, which a distribution builds itself
    if (name in sys.argv[1:] or not sys.argv[1:]) and not any(
        map(is_there, (name, name.removesuffix("-binary")))
    ):
        print(requirement)
