"""From masks to a report: skeletons, measurements, files and pages."""
