"""How well models judge: protocols, figures with intervals, the benchmark, thresholds and the model card."""
