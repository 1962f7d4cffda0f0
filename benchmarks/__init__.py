"""Figures of this machine, each beside a floor or a rival measured in the same run. No test depends on them."""
