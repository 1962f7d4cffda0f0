"""Builds the documentation site from docs/, from files of the repository and from the code: ``make docs``.

The pages are collected in build/docs. Links to files of the repository that are no pages become their names. A broken
link, or a page that is in no table of contents, is an error. Each version has a folder in build/site, or in the folder
that is given: ``build.py SITE``.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

import generated
import outputs
from jinja2 import Template
from sphinx.cmd.build import main as sphinx

from realtime_mood import __version__
from realtime_mood.models.card import DEFAULT

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
PAGES = ROOT / "build" / "docs"
FROM_REPOSITORY = {
    "README.md": "home.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "examples/README.md": "examples.md",
    f"models/weights/{DEFAULT}/README.md": "model-card.md",
}
"""Pages that are files of the repository outside of docs/."""
LINK = re.compile(r"(\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^)#\s:]+)(#[^)\s]*)?\)")


def collect() -> dict[str, str]:
    """Text of each page by its path on the site."""
    pages = {path.relative_to(ROOT / "docs").as_posix(): path.read_text() for path in (ROOT / "docs").rglob("*.md")}
    texts = {path: (ROOT / source).read_text() for source, path in FROM_REPOSITORY.items()}
    pages |= {path: re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL) for path, text in texts.items()}
    pages |= generated.pages()
    return {path: _relinked(path, text, set(pages)) for path, text in pages.items()}


def _relinked(page: str, text: str, pages: set[str]) -> str:
    """The text with links that lead to pages and pictures of the site; links to other files become names."""
    here = next((source for source, path in FROM_REPOSITORY.items() if path == page), f"docs/{page}")

    def relink(match: re.Match[str]) -> str:
        label, target, anchor = match[1], match[2], match[3] or ""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        found = FROM_REPOSITORY.get(path, path.removeprefix("docs/"))
        if found in pages or found.startswith("pictures/"):
            return f"{label}({posixpath.relpath(found, posixpath.dirname(page) or '.')}{anchor})"
        return match[0] if not (ROOT / path).exists() else label[1:-1] if "`" in label else f"{label[1:-1]} (`{path}`)"

    return LINK.sub(relink, text)


def version() -> str:
    """The folder of this version on the site: its number where this checkout has its tag, else ``dev``."""
    tags = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return __version__ if tags.returncode or f"v{__version__}" in tags.stdout.split() else "dev"


def build(site: Path) -> int:
    """Write this version to a folder of `site`, beside those of other checkouts; returns the exit code of Sphinx."""
    outputs.PAGE.write_text("\n".join(outputs.page()))
    shutil.rmtree(PAGES, ignore_errors=True)
    for path, text in collect().items():
        place = PAGES / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    shutil.copytree(ROOT / "docs" / "pictures", PAGES / "pictures")
    (PAGES / "index.md").write_text(generated.CONTENTS)
    os.environ["SITE_VERSION"] = name = version()
    options = ["-q", "-W", "--keep-going", "-j", str(os.cpu_count() or 1), "-c", str(HERE)]
    code = sphinx([*options, str(PAGES), str(site / name)])
    list_versions(site)
    return code


def list_versions(site: Path) -> None:
    """Write the first page of `site`, with all versions, newest first; ``latest`` leads to the first of them."""
    there = [path.parent.name for path in site.glob("*/objects.inv") if path.parent.name != "latest"]
    there.sort(key=lambda name: [int(part) for part in re.findall(r"\d+", name)], reverse=True)  # dev is last
    (site / "index.html").write_text(Template((HERE / "templates" / "index.html").read_text()).render(versions=there))
    (site / "latest").unlink(missing_ok=True)
    (site / "latest").symlink_to(there[0])


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"))
