"""HTML templates, rendered in the language in use; every value is escaped unless it is markup already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from . import _, current, ngettext

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(package: str, filters: Mapping[str, Callable[..., object]] | None = None) -> Environment:
    """The environment of the templates of a package; see `render`."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # only where a page is made

    loader = FunctionLoader(lambda path: files(package).joinpath(path).read_text(encoding="utf-8"))
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(filters or {})
    made.globals.update(_=_, ngettext=ngettext, lang=current())
    return made


def render(
    package: str, name: str, filters: Mapping[str, Callable[..., object]] | None = None, /, **values: object
) -> str:
    """Render the template `name` in the folder of `package`.

    It may use `values`, `filters`, ``_`` and ``ngettext`` for texts, and ``lang``, the code of the language. A missing
    name is an error.
    """
    return _kept(package, current(), frozenset((filters or {}).items())).get_template(name).render(values)


@cache
def _kept(package: str, language: str, filters: frozenset[tuple[str, Callable[..., object]]]) -> Environment:
    """The environment for the language in use, in which a template is compiled once."""
    return environment(package, dict(filters))
