"""Reports as HTML pages that can be read, printed and kept beside a recording: sessions and neurofeedback."""

from .session import SessionReport, report_of
from .session_page import page, write_report

__all__ = ["SessionReport", "page", "report_of", "write_report"]
