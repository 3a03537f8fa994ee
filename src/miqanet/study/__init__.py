"""The subjective study: people judge images, and their votes become labels."""
