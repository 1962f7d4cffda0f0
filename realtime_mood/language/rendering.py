"""HTML templates, rendered in the language in use; every value is escaped unless it is markup already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """Render a template.

    Parameters
    ----------
    package : str
        The package whose folder holds the template.
    name : str
        Path of the template in that folder. It may use ``_`` and ``ngettext``, for texts, and ``lang``, the code of
        the language.
    filters : mapping, optional
        Further filters for the template, by name.
    **values
        What else it may use. A name that is missing is an error.
    """
    return environment(package, filters).get_template(name).render(values)
