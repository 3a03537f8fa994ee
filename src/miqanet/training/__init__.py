"""Fitting MIQANet to a labelled database, and making a trained network fit to ship."""
