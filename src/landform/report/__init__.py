"""Findings as a page, as JSON, as tables and as words: everything is drawn from one `results` dictionary."""

from landform.report.folder import write_all, write_finding
from landform.report.html import page, write_report
from landform.report.results import dumps, write_results
from landform.report.tables import tables, write_tables
from landform.report.terminal import print_summary

__all__ = [
    "dumps",
    "page",
    "print_summary",
    "tables",
    "write_all",
    "write_finding",
    "write_report",
    "write_results",
    "write_tables",
]
