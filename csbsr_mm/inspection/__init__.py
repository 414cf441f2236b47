"""From masks to a report: skeletons, measurements, files and pages.

Measuring masks needs the base installation alone. Whatever reads photos or writes reports calls
:func:`need_report_packages` first.
"""

from .._extras import need


def need_report_packages(purpose: str) -> None:
    """Refuse to go on where what reads photos and writes reports is not installed.

    Args:
        purpose: What needs it, as the subject of the message.

    Raises:
        ImportError: A package is missing; the message names it and its extra.
    """
    need(purpose, 'cv2', 'PIL', 'tifffile', 'jinja2')
