"""How well a trained model judges: thresholds chosen on validation subjects, measured once on test subjects."""
