"""Turns a recorded session into its report: a page that can be read, printed and kept beside the recording."""

from .page import page, write_report
from .session import SessionReport, report_of

__all__ = ["SessionReport", "page", "report_of", "write_report"]
