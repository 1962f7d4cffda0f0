"""Settings of Sphinx for the documentation site; `build.py` beside this file collects its pages."""

from realtime_mood import __version__

project = "realtime_mood"
author = "the realtime_mood authors"
copyright = "the realtime_mood authors, BSD-3-Clause"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"realtime_mood {__version__}"
html_show_sourcelink = False
myst_heading_anchors = 4  # links to headings, as other readers of Markdown make them
myst_enable_extensions = ["attrs_inline"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = False
