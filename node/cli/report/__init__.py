"""`khazana report`: drawings of the debt, as PDF, PNG or SVG."""

from node.cli.report.command import command

__all__ = ["command"]
