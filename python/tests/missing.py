"""Prints the packages that the tests need and this interpreter lacks, as pip takes them: those of the extra `test`."""

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

if sys.version_info < (3, 10):
    sys.exit(f"Python 3.10 or newer is needed, and this is {sys.version.split()[0]}: set PYTHON to another")

text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
extra = re.search(r"^test = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)[1]
for requirement in re.findall(r'"(.*?)"', extra):
    name = re.match(r"[\w-]+", requirement)[0]
    # Debian builds these two without their wheels' names
    names = {name, name.removesuffix("-binary")}
    for candidate in names:
        try:
            version(candidate)
            break
        except PackageNotFoundError:
            continue
    else:
        print(requirement)
