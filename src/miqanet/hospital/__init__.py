"""Beside the PACS: images come in from scanners, verdicts go out as standard DICOM objects.

Importing this package costs nothing; highdicom, pynetdicom and FastAPI (the extra `hospital`) are needed by
the modules that write objects, receive and serve, not by `records`.
"""
