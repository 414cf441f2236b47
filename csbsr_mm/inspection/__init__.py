"""From masks to a report: skeletons, measurements, files and pages."""

from .._extras import need

need('csbsr_mm.inspection', 'cv2', 'PIL', 'skimage', 'tifffile', 'jinja2')
