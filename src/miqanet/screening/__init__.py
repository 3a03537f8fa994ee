"""The main job: read images, judge them, write the verdicts down."""
