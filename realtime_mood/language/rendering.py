"""HTML templates, rendered in the language in use; every value is escaped unless it is markup already."""

from __future__ import annotations

from importlib.resources import files

from . import _, current


def render(package: str, name: str, **values: object) -> str:
    """Render a template.

    Parameters
    ----------
    package : str
        The package whose folder holds the template.
    name : str
        Path of the template in that folder. It may use ``_``, for texts, and ``lang``, the code of the language.
    **values
        What else it may use. A name that is missing is an error.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # only where a page is made

    loader = FunctionLoader(lambda path: files(package).joinpath(path).read_text(encoding="utf-8"))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name).render(values, _=_, lang=current())
