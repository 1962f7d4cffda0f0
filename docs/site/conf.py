"""Settings of Sphinx for the documentation site; `build.py` beside this file collects its pages."""

import os

from realtime_mood import __version__

project = "realtime_mood"
author = "the realtime_mood authors"
copyright = "the realtime_mood authors, BSD-3-Clause"
version = release = __version__
site_version = os.environ["SITE_VERSION"]  # the folder of this version, by build.py
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "realtime_mood"
html_show_sourcelink = False
html_static_path, templates_path, html_css_files = ["static"], ["templates"], ["site.css"]
html_context = {"site_version": "Development version" if site_version == "dev" else f"Version {release}"}
html_sidebars = {
    "**": [f"sidebar/{part}.html" if "versions" not in part else f"{part}.html"
           for part in ("brand", "versions", "search", "scroll-start", "navigation", "scroll-end")],
}  # fmt: skip
if site_version == "dev":
    html_theme_options = {"announcement": f"Development version, after {release}: not released."}
myst_heading_anchors = 4  # links to headings, as other readers of Markdown make them
myst_enable_extensions = ["attrs_inline"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = False
